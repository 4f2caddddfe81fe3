// The sound of the player, on the audio thread: PCM comes in by messages, sound goes out, and where it plays is reported.
// It is the player's clock. It keeps no look-ahead of its own at rate 1. It decodes nothing and decides nothing about delay.
//
// Frames are counted along what is played: chunks one after the other, silence where there is a gap between them. Each chunk
// keeps its own media time. At other rates than 1 this is WSOLA (Verhelst and Roelands 1993): sound is copied as it is until
// the copy is a search radius away from where the rate wants it, then it is spliced to the place that resembles it most.
'use strict';

/** Whole frames in so many seconds. */
const frames = (seconds) => Math.round(seconds * sampleRate);

/** What is kept at most; older sound is dropped first. */
const MOST = frames(4);
/** Chunks kept at most, for a sender of very small ones: 4 s in chunks of 2 ms. */
const MOST_CHUNKS = 2048;
/** Chunks this close to each other follow one another: containers round their stamps to a millisecond. */
const JOINED = frames(0.002);
/** A fade in or out, short enough to be no delay and long enough to be no click. */
const FADE = frames(0.005);
/** How long the last sample decays where sound breaks off. */
const DECAY = frames(0.003);
/** The overlap of a splice: half a window of 20 ms. */
const OVERLAP = frames(0.01);
/** How far from where the rate wants it a splice is looked for. Both ways, so the lowest tone kept whole is 62 Hz. */
const SEARCH = frames(0.008);
/** The shortest way of a splice: sound resembles itself a few frames on, and splicing there gains nothing. */
const LEAP = frames(0.002);
/** Frames kept behind the position: playing slower splices back to them. */
const BEHIND = 3 * SEARCH;
/** The coarse search takes this many frames as one. */
const COARSE = 4;
/** Back at rate 1, how fast the reported position comes to the copied one: 8 ms in 0.8 s, too slow to be seen. */
const SETTLE = 0.01;
const SLOWEST = 0.9;
const FASTEST = 1.15;
/** Web Audio's limit on the channels of a node, and the most that are taken of a chunk. */
const OUTPUTS = 32;
const CHANNELS = 8;
const REPORT_EVERY_QUANTA = 4;
/** Media times beyond this are not meant: a frame would be less than the number can tell apart. */
const LATEST = 1e9;

const isTime = (value) => Number.isFinite(value) && Math.abs(value) < LATEST;
/** Not `instanceof`, which says no to an array from another realm. */
const isPlane = (value) => ArrayBuffer.isView(value) && value[Symbol.toStringTag] === 'Float32Array';

/** Where the signal from `origin + lag` resembles the one from `origin` most, by normalised cross-correlation. */
const bestLag = (signal, origin, length, from, to) => {
  let best = Math.round((from + to) / 2);
  let energy = 0;
  for (let i = 0; i < length; i += 1) energy += signal[origin + i] * signal[origin + i];
  if (!(energy > 0)) return best;
  let top = -Infinity;
  for (let lag = from; lag <= to; lag += 1) {
    let dot = 0;
    energy = 1e-9;
    for (let i = origin; i < origin + length; i += 1) {
      const there = signal[i + lag];
      dot += signal[i] * there;
      energy += there * there;
    }
    const score = (dot * Math.abs(dot)) / energy;
    if (!(score > top)) continue;
    top = score;
    best = lag;
  }
  return best;
};

class Sound extends AudioWorkletProcessor {
  constructor() {
    super();
    /** Chunks `{ at, first, length, planes }` by the frame they begin with. After a seek there is always one, perhaps empty. */
    this.queue = [];
    this.queued = 0;
    /** The frame that is played next; none before the first seek. */
    this.next = 0;
    this.placed = false;
    this.play = false;
    this.dry = false;
    this.ended = false;
    this.rate = 1;
    this.resume = frames(0.04);
    /** How far `next` is from where the rate wants it, in frames. */
    this.owed = 0;
    /** The rate cannot be kept: too little is queued for a splice. */
    this.held = false;
    /** Frames left of the splice under way, and how far it leads. */
    this.splicing = 0;
    this.leap = 0;
    /** The fade: 0 is silent, FADE is full. */
    this.level = 0;
    /** What sounded last, and what decays where it broke off. */
    this.last = new Float32Array(OUTPUTS);
    this.broken = new Float32Array(OUTPUTS);
    this.decaying = 0;
    this.quanta = 0;
    this.reported = '';
    this.weight = Float32Array.from({ length: OVERLAP }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / OVERLAP));
    this.there = new Float32Array(OVERLAP);
    this.plane = new Float32Array(BEHIND + 2 * OVERLAP);
    this.mono = new Float32Array(BEHIND + 2 * OVERLAP);
    this.coarse = new Float32Array(Math.ceil(this.mono.length / COARSE));
    this.port.onmessage = (event) => this.take(event.data);
  }

  take(message) {
    if (typeof message !== 'object' || message === null) return;
    const { at, planes, seek, play, rate, resume, end } = message;
    if (end === true) [this.ended, this.queue] = [true, []];
    if (this.ended) return;
    if (Number.isFinite(rate)) this.rate = Math.min(FASTEST, Math.max(SLOWEST, rate));
    // More than can be queued would never be reached.
    if (Number.isFinite(resume)) this.resume = Math.min(MOST / 2, Math.max(1, frames(resume)));
    if (isTime(seek)) this.seek(seek);
    if (isTime(at) && Array.isArray(planes)) this.append(at, planes);
    if (typeof play === 'boolean') this.play = play;
  }

  /** The frame after the last one queued. */
  get end() {
    const last = this.queue.at(-1);
    return last ? last.first + last.length : this.next;
  }

  /** The media time of the frame played next. */
  get position() {
    let chunk;
    for (let i = 0; i < this.queue.length; i += 1) {
      chunk = this.queue[i];
      if (chunk.first + chunk.length > this.next) break;
    }
    return chunk.at + (this.next - chunk.first) / sampleRate;
  }

  get advancing() {
    return this.placed && !this.dry && (this.play || this.level > 0);
  }

  append(at, planes) {
    const whole = isPlane(planes[0]) ? planes[0].length : 0;
    // Not `every`, which passes over holes.
    if (whole === 0 || planes.findIndex((plane) => !isPlane(plane) || plane.length !== whole) >= 0) return;
    const last = this.queue.at(-1);
    const apart = last ? frames(at - last.at) - last.length : 0;
    const cut = Math.max(apart < -JOINED ? -apart : 0, whole - MOST);
    if (cut >= whole) return;
    const kept = planes.slice(0, CHANNELS).map((plane) => (cut > 0 ? plane.slice(cut) : plane));
    const gap = apart + cut >= JOINED ? apart + cut : 0;
    this.queue.push({ at: at + cut / sampleRate, first: this.end + gap, length: whole - cut, planes: kept });
    this.queued += whole - cut;
    while (this.queued > MOST || this.queue.length > MOST_CHUNKS) {
      const old = this.drop();
      if (this.placed && this.next < old.first + old.length) this.jump(this.queue[0].first);
    }
  }

  drop() {
    const old = this.queue.shift();
    this.queued -= old.length;
    return old;
  }

  seek(to) {
    // Back to before all that is here: the sender has to go back too, and what is here would be in its way.
    const back = this.placed && frames(this.queue[0].at - to) >= JOINED && to < this.position;
    while (this.queue.length > 0 && (back || frames(to - this.queue[0].at) >= this.queue[0].length)) this.drop();
    if (this.queue.length === 0) this.queue.push({ at: to, first: this.next, length: 0, planes: [] });
    const [{ at, first }] = this.queue;
    const into = frames(to - at);
    this.jump(into < 0 && into > -JOINED ? first : first + into);
    this.placed = true;
    this.dry = false;
  }

  /** Sound breaks off: its last samples decay, and what comes next, from this frame on, fades in. */
  jump(frame) {
    this.next = frame;
    this.broken.set(this.last);
    this.decaying = DECAY;
    this.level = 0;
    this.splicing = 0;
    this.owed = 0;
    this.held = false;
  }

  process(_inputs, outputs) {
    if (this.ended) return false;
    const output = outputs[0];
    if (!output || output.length === 0) return true;
    const { length } = output[0];
    if (this.dry && this.end - this.next >= this.resume) this.dry = false;
    if (this.placed && this.play && !this.dry && this.end <= this.next) this.goDry();
    if (this.placed) this.report();
    let done = 0;
    while (done < length && this.advancing) {
      const from = done;
      done += this.render(output, from, length - from);
      this.decay(output, from, done);
    }
    for (let c = 0; c < output.length; c += 1) output[c].fill(0, done);
    this.decay(output, done, length);
    while (this.queue.length > 1 && this.queue[1].first <= this.next - BEHIND) this.drop();
    return true;
  }

  goDry() {
    this.dry = true;
    this.jump(this.next);
  }

  report() {
    const playing = this.advancing;
    const state = playing ? 'playing' : this.dry ? 'dry' : 'paused';
    this.quanta += 1;
    if (state === this.reported && this.quanta < REPORT_EVERY_QUANTA) return;
    this.quanta = 0;
    this.reported = state;
    this.port.postMessage({
      at: this.position + this.owed / sampleRate,
      time: currentTime,
      ahead: Math.max(0, this.end - this.next - this.owed) / sampleRate,
      dry: this.dry,
      playing,
      rate: this.held ? 1 : this.rate,
    });
  }

  /** Plays up to `most` frames from `done` on and says how many: fewer where something changes within. */
  render(output, done, most) {
    let count = Math.min(most, this.end - this.next);
    if (count <= 0) {
      this.goDry();
      return 0;
    }
    if (this.splicing === 0 && this.rate !== 1 && Math.abs(this.owed) >= SEARCH) this.beginSplice(output.length);
    if (this.splicing > 0) count = Math.min(count, this.splicing);
    if (!this.play) count = Math.min(count, this.level);
    for (let c = 0; c < output.length; c += 1) {
      this.read(c, this.next, count, output[c], done);
      if (this.splicing > 0) this.blend(c, output[c], done, count);
      if (!this.play || this.level < FADE) this.fade(output[c], done, count);
    }
    this.level = this.play ? Math.min(FADE, this.level + count) : this.level - count;
    this.next += count;
    this.owe(count);
    return count;
  }

  /** Keeps the account of what the rate wants, after so many frames. */
  owe(count) {
    if (this.rate === 1) {
      this.held = false;
      this.owed -= Math.sign(this.owed) * Math.min(Math.abs(this.owed), count * SETTLE);
    } else {
      this.owed += count * (this.rate - 1);
    }
    if (this.splicing > 0) {
      this.splicing -= count;
      const leap = this.splicing > 0 ? 0 : this.leap;
      this.next += leap;
      this.owed -= leap;
    } else if (this.held) {
      this.held = Math.abs(this.owed) > SEARCH;
      this.owed = Math.min(SEARCH, Math.max(-SEARCH, this.owed));
    }
  }

  /** Finds where to go on so that the rate is kept. Where too little is queued nothing is done: sound is copied on. */
  beginSplice(channels) {
    const owed = Math.round(this.owed);
    const from = owed > 0 ? Math.max(LEAP, owed - SEARCH) : owed - SEARCH;
    const to = owed < 0 ? Math.min(-LEAP, owed + SEARCH) : owed + SEARCH;
    const least = Math.min(from, 0);
    const most = Math.max(to, 0) + OVERLAP;
    this.held = this.next + most > this.end || this.next + least < Math.min(this.next, this.queue[0].first);
    if (this.held) return;
    // The coarse grid passes through `next`.
    const origin = COARSE * Math.ceil(-least / COARSE);
    const length = origin + most;
    this.mono.fill(0, 0, length);
    for (let c = 0; c < channels; c += 1) {
      this.read(c, this.next - origin, length, this.plane, 0);
      for (let i = 0; i < length; i += 1) this.mono[i] += this.plane[i];
    }
    this.coarse.fill(0);
    for (let i = 0; i < length; i += 1) this.coarse[Math.floor(i / COARSE)] += this.mono[i];
    const overlap = Math.floor(OVERLAP / COARSE);
    const near = COARSE * bestLag(this.coarse, origin / COARSE, overlap, Math.ceil(from / COARSE), Math.floor(to / COARSE));
    this.leap = bestLag(this.mono, origin, OVERLAP, Math.max(from, near - COARSE + 1), Math.min(to, near + COARSE - 1));
    this.splicing = OVERLAP;
  }

  /** Goes over from what is in `into` to what a splice leads to. */
  blend(channel, into, done, count) {
    this.read(channel, this.next + this.leap, count, this.there, 0);
    const weights = OVERLAP - this.splicing;
    for (let i = 0; i < count; i += 1) into[done + i] += (this.there[i] - into[done + i]) * this.weight[weights + i];
  }

  fade(into, done, count) {
    const step = this.play ? 1 : -1;
    for (let i = 0; i < count; i += 1) into[done + i] *= Math.min(FADE, this.level + step * i) / FADE;
  }

  /** Adds what decays to these frames, and remembers the last of them. */
  decay(output, from, to) {
    const count = Math.min(to - from, this.decaying);
    for (let c = 0; c < output.length; c += 1) {
      for (let i = 0; i < count; i += 1) output[c][from + i] += (this.broken[c] * (this.decaying - i)) / DECAY;
      if (to > from) this.last[c] = output[c][to - 1];
    }
    this.decaying -= count;
  }

  /** Copies frames of one channel; silence where there is no chunk. The last channel of a chunk stands for those it lacks. */
  read(channel, frame, count, into, offset) {
    into.fill(0, offset, offset + count);
    for (let q = 0; q < this.queue.length; q += 1) {
      const { first, length, planes } = this.queue[q];
      if (first >= frame + count) return;
      const plane = planes[Math.min(channel, planes.length - 1)];
      const until = Math.min(frame + count, first + length);
      for (let f = Math.max(frame, first); f < until; f += 1) into[offset + f - frame] = plane[f - first];
    }
  }
}

registerProcessor('madang-sound', Sound);
