//! What may be done with a resource: create, read, update, delete, search.

use std::fmt;
use std::str::FromStr;

use super::UnknownScope;

/// A non-empty subset of `cruds`, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    bits: u8,
    /// SMART v1 words are given back as v1 words.
    v1: bool,
}

const LETTERS: &str = "cruds";

impl Access {
    /// `c`
    pub const CREATE: Self = Self::letters(0b0_0001);
    /// `r`
    pub const READ: Self = Self::letters(0b0_0010);
    /// `u`
    pub const UPDATE: Self = Self::letters(0b0_0100);
    /// `d`
    pub const DELETE: Self = Self::letters(0b0_1000);
    /// `s`
    pub const SEARCH: Self = Self::letters(0b1_0000);
    /// `rs`, v1 `read`
    pub const READ_SEARCH: Self = Self::letters(0b1_0010);
    /// `cruds`, v1 `*`
    pub const ALL: Self = Self::letters(0b1_1111);
    /// `cud`, v1 `write`
    pub const WRITE: Self = Self::letters(0b0_1101);

    const fn letters(bits: u8) -> Self {
        Self { bits, v1: false }
    }

    /// Whether everything that `other` allows is allowed here.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// What both allow, in the spelling of `self`; `None` where that is nothing.
    #[must_use]
    pub fn intersect(self, other: Self) -> Option<Self> {
        let bits = self.bits & other.bits;
        // A v1 word exists for three sets only; any other set has to be spelt in letters.
        let v1 = self.v1 && [Self::READ_SEARCH.bits, Self::WRITE.bits, Self::ALL.bits].contains(&bits);
        (bits != 0).then_some(Self { bits, v1 })
    }

    /// What either allows, in letters.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self::letters(self.bits | other.bits)
    }

    /// Whether anything but reading is allowed.
    #[must_use]
    pub fn writes(self) -> bool {
        self.bits & Self::WRITE.bits != 0
    }

    /// Whether resources may be seen at all.
    #[must_use]
    pub fn reads(self) -> bool {
        self.bits & Self::READ_SEARCH.bits != 0
    }

    /// The same in letters, whatever it was written in.
    #[must_use]
    pub fn in_letters(self) -> Self {
        Self::letters(self.bits)
    }

    /// Whether it was written as `read`, `write` or `*`.
    #[must_use]
    pub fn is_v1(self) -> bool {
        self.v1
    }
}

impl FromStr for Access {
    type Err = UnknownScope;

    /// Letters in the order of `cruds`, each at most once, or a word of SMART v1.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let v1 = |bits| Ok(Self { bits, v1: true });
        match text {
            "read" => return v1(Self::READ_SEARCH.bits),
            "write" => return v1(Self::WRITE.bits),
            "*" => return v1(Self::ALL.bits),
            "" => return Err(UnknownScope),
            _ => {}
        }
        let mut bits = 0u8;
        for letter in text.chars() {
            let bit = 1 << LETTERS.find(letter).ok_or(UnknownScope)?;
            if bits >= bit {
                return Err(UnknownScope); // out of order, or twice
            }
            bits |= bit;
        }
        Ok(Self::letters(bits))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.v1 {
            return f.write_str(match self.bits {
                b if b == Self::READ_SEARCH.bits => "read",
                b if b == Self::WRITE.bits => "write",
                _ => "*",
            });
        }
        for (place, letter) in LETTERS.chars().enumerate() {
            if self.bits & (1 << place) != 0 {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_keep_their_order_and_come_once() {
        for bad in ["", "sr", "rr", "x", "crudss", "rd.", "READ", "dus", "r s"] {
            assert_eq!(bad.parse::<Access>(), Err(UnknownScope), "{bad:?}");
        }
        for good in ["r", "rs", "cud", "cruds", "read", "write", "*"] {
            assert_eq!(good.parse::<Access>().map(|a| a.to_string()).as_deref(), Ok(good));
        }
    }

    #[test]
    fn v1_words_mean_letters() {
        let read: Access = "read".parse().expect("read is a word of v1");
        assert!(read.contains(Access::READ_SEARCH) && Access::READ_SEARCH.contains(read));
        assert!(!read.contains(Access::CREATE));
    }
}
