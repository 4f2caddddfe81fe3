use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, last])
}

#[test]
fn places_are_counted_and_given_back() {
    let admission = Admission::new(&RtmpLimits { connections: 3, connections_per_address: 2, ..RtmpLimits::default() });
    let first = admission.admit(address(1)).expect("there is room");
    let _second = admission.admit(address(1)).expect("there is room");
    assert_eq!(admission.admit(address(1)).err(), Some(Crowded::Source));
    let _third = admission.admit(address(2)).expect("there is room");
    assert_eq!(admission.admit(address(3)).err(), Some(Crowded::Total));
    drop(first);
    let _fourth = admission.admit(address(1)).expect("a place was given back");
    drop((_second, _third, _fourth));
    assert!(locked(&admission.open).is_empty(), "no address is remembered without a connection");
}

#[test]
fn an_ipv6_household_is_one_source() {
    let source = |text: &str| household(text.parse::<IpAddr>().expect("an address"));
    assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1:2:3"));
    assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
    assert_eq!(source("::ffff:203.0.113.1"), source("203.0.113.1"));
}

#[test]
fn ten_wrong_keys_lock_an_address_for_a_minute() {
    let keys = WrongKeys::new(&RtmpLimits::default());
    let start = Instant::now();
    for second in 0..9 {
        assert!(!keys.wrong(address(1), start + Duration::from_secs(second)));
        assert_eq!(keys.locked(address(1), start + Duration::from_secs(second)), None);
    }
    assert!(keys.wrong(address(1), start + Duration::from_secs(9)));
    assert_eq!(keys.locked(address(1), start + Duration::from_secs(10)), Some(Duration::from_secs(59)));
    assert_eq!(keys.locked(address(2), start + Duration::from_secs(10)), None, "others go on");
    assert_eq!(keys.locked(address(1), start + Duration::from_secs(69)), None);
    assert!(!keys.wrong(address(1), start + Duration::from_secs(70)), "the count starts anew after the lock");
}

#[test]
fn slow_mistakes_do_not_lock() {
    let keys = WrongKeys::new(&RtmpLimits::default());
    let start = Instant::now();
    for minute in 0..30 {
        assert!(!keys.wrong(address(1), start + Duration::from_secs(minute * 61)));
    }
}

#[test]
fn a_hundred_thousand_addresses_with_wrong_keys_fit_in_what_is_granted() {
    let keys = WrongKeys::new(&RtmpLimits::default());
    let now = Instant::now();
    for number in 0..100_000_u32 {
        keys.wrong(IpAddr::from(number.to_be_bytes()), now + Duration::from_millis(number.into()));
    }
    assert!((SOURCES..=2 * SOURCES).contains(&locked(&keys.sources).len()));
}

#[test]
fn a_budget_refills() {
    let start = Instant::now();
    let mut budget = Budget::new(5, start);
    assert_eq!((0..20).filter(|_| budget.take(start)).count(), 5);
    assert!(!budget.take(start + Duration::from_millis(100)));
    assert!(budget.take(start + Duration::from_millis(300)));
    assert_eq!((0..20).filter(|_| budget.take(start + Duration::from_secs(60))).count(), 5);
}
