//! Slows down guessing without locking anybody out.
//!
//! What is counted: tries at one account from one address (so that whoever guesses at somebody's account from elsewhere
//! does not keep its owner out), all tries from one address, and second factors of one account, wherever they come
//! from: whoever makes those knows the password already.

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// Tries at one account from one address: five at once, then one in 20 s.
const OF_PAIR: (Duration, u32) = (Duration::from_secs(20), 5);

/// Tries from one address: 60 at once, then one a second. An office may sit behind one address.
const OF_ADDRESS: (Duration, u32) = (Duration::from_secs(1), 60);

/// Second factors of one account, right or wrong: 20 at once, then one in ten minutes: a thief of the password needs years.
const OF_SECOND_FACTOR: (Duration, u32) = (Duration::from_secs(600), 20);

/// Keys that a limiter remembers before it forgets those that have recovered.
const KEYS_MAX: usize = 10_000;

type Limiter<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limiters of logins.
pub struct Throttle<C: Clock = DefaultClock> {
    pairs: Limiter<(String, IpAddr), C>,
    addresses: Limiter<IpAddr, C>,
    second_factors: Limiter<String, C>,
    clock: C,
}

/// How long to wait before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// Whole seconds, at least one.
    pub retry_after_s: u64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

impl Throttle {
    /// Limiters that run on the machine's monotonic clock.
    pub fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn with_clock(clock: C) -> Self {
        Self {
            pairs: limiter(OF_PAIR, &clock),
            addresses: limiter(OF_ADDRESS, &clock),
            second_factors: limiter(OF_SECOND_FACTOR, &clock),
            clock,
        }
    }

    /// Counts a try at an account; `who` is what was typed, whether there is such an account or not.
    pub fn try_login(&self, who: &str, address: IpAddr) -> Result<(), TooMany> {
        self.check(&self.addresses, &address)?;
        // The key is bounded, whatever was typed.
        let who: String = who.trim().to_lowercase().chars().take(254).collect();
        self.check(&self.pairs, &(who, address))
    }

    /// Counts a try at something that only an address names, such as a link.
    pub fn try_from(&self, address: IpAddr) -> Result<(), TooMany> {
        self.check(&self.addresses, &address)
    }

    /// Counts a second factor of an account whose password was right.
    pub fn try_second_factor(&self, account: &str) -> Result<(), TooMany> {
        self.check(&self.second_factors, &account.to_owned())
    }

    fn check<K: Clone + Eq + std::hash::Hash>(&self, limiter: &Limiter<K, C>, key: &K) -> Result<(), TooMany> {
        if limiter.len() > KEYS_MAX {
            limiter.retain_recent();
        }
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            TooMany { retry_after_s: wait.as_secs() + 1 }
        })
    }
}

fn limiter<K: Clone + Eq + std::hash::Hash, C: Clock + Clone>(
    (period, burst): (Duration, u32),
    clock: &C,
) -> Limiter<K, C> {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(period).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst);
    RateLimiter::new(quota, DashMapStateStore::default(), clock.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn s9_guessing_at_an_account_slows_the_guesser_and_not_its_owner() {
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::with_clock(clock.clone());
        let tries = (0..1_000).filter(|_| throttle.try_login("Ann@example.org", ELSEWHERE).is_ok()).count();
        assert_eq!(tries, 5);
        assert_eq!(throttle.try_login("ann@example.org", HERE), Ok(()), "the owner was locked out");
        clock.advance(Duration::from_secs(10));
        let wait = throttle.try_login("ann@example.org", ELSEWHERE).unwrap_err();
        assert!((1..=20).contains(&wait.retry_after_s), "{wait:?}");
        clock.advance(Duration::from_secs(wait.retry_after_s));
        assert_eq!(throttle.try_login("ann@example.org", ELSEWHERE), Ok(()));
    }

    #[test]
    fn s9_a_thousand_accounts_from_one_address_are_few_tries() {
        let throttle = Throttle::with_clock(FakeRelativeClock::default());
        let tries = (0..1_000).flat_map(|user| (0..10).map(move |_| user));
        let through = tries.filter(|user| throttle.try_login(&format!("user{user}"), ELSEWHERE).is_ok()).count();
        // Of sixty that the address has, each account lets five of ten through.
        assert_eq!(through, 30);
        assert_eq!(throttle.try_login("ann", HERE), Ok(()), "somebody else was locked out");
    }

    #[test]
    fn s9_second_factors_are_counted_wherever_they_come_from() {
        let throttle = Throttle::with_clock(FakeRelativeClock::default());
        assert_eq!((0..100).filter(|_| throttle.try_second_factor("id").is_ok()).count(), 20);
        assert_eq!(throttle.try_second_factor("other"), Ok(()));
    }
}
