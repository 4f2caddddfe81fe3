//! The emoji that `:` completes: the ones people type, by the names other chats gave them.

/// `name sign`, one after the other, the more used ones first where names share a beginning.
const TABLE: &str = "smile 😄 smiley 😃 grin 😁 joy 😂 rofl 🤣 wink 😉 blush 😊 innocent 😇 heart_eyes 😍 kissing_heart 😘 yum 😋 \
tongue 😛 zany 🤪 think 🤔 raised_eyebrow 🤨 neutral 😐 expressionless 😑 smirk 😏 unamused 😒 roll_eyes 🙄 grimace 😬 relieved 😌 \
pensive 😔 sleepy 😪 sleeping 😴 mask 😷 nauseated 🤢 sneeze 🤧 hot 🥵 cold 🥶 dizzy 😵 mind_blown 🤯 cowboy 🤠 party_face 🥳 \
sunglasses 😎 nerd 🤓 confused 😕 worried 😟 open_mouth 😮 astonished 😲 flushed 😳 pleading 🥺 fearful 😨 cold_sweat 😰 cry 😢 \
sob 😭 scream 😱 tired 😫 yawn 🥱 triumph 😤 rage 😡 angry 😠 sweat_smile 😅 laughing 😆 upside_down 🙃 melt 🫠 salute 🫡 \
hug 🤗 shush 🤫 skull 💀 ghost 👻 alien 👽 robot 🤖 poop 💩 clown 🤡 wave 👋 ok_hand 👌 v ✌️ crossed_fingers 🤞 call_me 🤙 \
point_up ☝️ point_right 👉 point_left 👈 point_down 👇 thumbsup 👍 +1 👍 thumbsdown 👎 -1 👎 fist ✊ clap 👏 raised_hands 🙌 \
pray 🙏 muscle 💪 eyes 👀 brain 🧠 shrug 🤷 facepalm 🤦 bow 🙇 heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 \
blue_heart 💙 purple_heart 💜 black_heart 🖤 broken_heart 💔 two_hearts 💕 sparkling_heart 💖 100 💯 boom 💥 zzz 💤 fire 🔥 \
sparkles ✨ star ⭐ sun ☀️ moon 🌙 rainbow 🌈 snow ❄️ rain 🌧️ ocean 🌊 cat 🐱 dog 🐶 rabbit 🐰 bear 🐻 tiger 🐯 fox 🦊 crab 🦀 \
whale 🐳 flower 🌸 rose 🌹 clover 🍀 tree 🌲 coffee ☕ tea 🍵 beer 🍺 soju 🍶 pizza 🍕 ramen 🍜 rice 🍚 cake 🍰 birthday 🎂 \
apple 🍎 soccer ⚽ baseball ⚾ game 🎮 guitar 🎸 music 🎵 mic 🎤 camera 📷 movie 🎬 tv 📺 laptop 💻 phone 📱 bug 🐛 rocket 🚀 \
car 🚗 house 🏠 gift 🎁 balloon 🎈 tada 🎉 trophy 🏆 medal 🥇 bell 🔔 bulb 💡 book 📚 pencil ✏️ check ✅ x ❌ warning ⚠️ \
question ❓ exclamation ❗ korea 🇰🇷";

/// The signs whose names begin with `start`, then those that have it elsewhere; at most `most`.
pub fn matching(start: &str, most: usize) -> Vec<(&'static str, &'static str)> {
    let words: Vec<&str> = TABLE.split_ascii_whitespace().collect();
    let pairs = || words.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
    let first = pairs().filter(|(name, _)| name.starts_with(start));
    let then = pairs().filter(|(name, _)| !name.starts_with(start) && name.contains(start));
    first.chain(then).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_sign() {
        let all = matching("", usize::MAX);
        assert!(all.len() >= 120, "{}", all.len());
        for (name, sign) in all {
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b)), "{name}");
            assert!(!sign.is_ascii(), "{name} {sign}");
        }
    }

    #[test]
    fn what_begins_so_comes_first() {
        let names: Vec<_> = matching("heart", 3).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["heart_eyes", "heart", "kissing_heart"]);
    }
}
