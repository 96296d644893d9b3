//! A small deterministic generator of numbers.

/// Numbers that look random and are the same in every run (SplitMix64).
///
/// Each person has dice of their own, so that a change to one person's story leaves everybody
/// else's as it was. Of no use for secrets.
pub struct Dice(u64);

impl Dice {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to, and never reaching, 1.
    pub fn share(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.share() * (high - low + 1) as f64) as i64
    }

    /// True once in `1 / probability` times.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Between `-width` and `width`, and more often near zero.
    pub fn around(&mut self, width: f64) -> f64 {
        (self.share() + self.share() - 1.0) * width
    }

    /// One of a table that has at least one entry.
    pub fn pick<'a, T>(&mut self, table: &'a [T]) -> &'a T {
        &table[self.between(0, table.len() as i64 - 1) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_rolls_the_same_numbers() {
        let (mut a, mut b) = (Dice::seeded(7), Dice::seeded(7));
        assert!((0..100).all(|_| a.roll() == b.roll()));
        // The published first output for this seed: another machine must agree.
        assert_eq!(Dice::seeded(0).roll(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn numbers_stay_between_their_ends() {
        let mut dice = Dice::seeded(1);
        let rolled: Vec<i64> = (0..1000).map(|_| dice.between(3, 5)).collect();
        assert!(rolled.iter().all(|n| (3..=5).contains(n)));
        assert!([3, 4, 5].iter().all(|n| rolled.contains(n)));
    }
}
