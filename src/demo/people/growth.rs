//! How children grow, roughly: the middle of the usual charts, read off at a few ages.

use super::person::Gender;

/// Age in years, then kilograms and centimetres of girls, then of boys.
const MIDDLE: [[f64; 5]; 16] = [
    [0.0, 3.2, 49.1, 3.3, 49.9],
    [0.25, 5.8, 59.8, 6.4, 61.4],
    [0.5, 7.3, 65.7, 7.9, 67.6],
    [1.0, 8.9, 74.0, 9.6, 75.7],
    [1.5, 10.2, 80.7, 10.9, 82.3],
    [2.0, 11.5, 86.4, 12.2, 87.8],
    [3.0, 13.9, 95.1, 14.3, 96.1],
    [4.0, 16.1, 102.7, 16.3, 103.3],
    [5.0, 18.2, 109.4, 18.3, 110.0],
    [6.0, 20.2, 115.1, 20.5, 116.0],
    [8.0, 25.0, 126.6, 25.4, 127.3],
    [10.0, 31.9, 138.6, 31.2, 137.8],
    [12.0, 41.5, 151.2, 39.9, 149.1],
    [14.0, 49.4, 159.8, 51.0, 163.8],
    [16.0, 53.9, 162.5, 61.0, 173.4],
    [18.0, 56.7, 163.1, 67.3, 176.1],
];

/// Weight in kilograms and height in centimetres of a child of that age and build.
///
/// `build` is from -1 to 1, the edges being about the outermost lines of a growth chart.
pub fn at(years: f64, gender: Gender, build: f64) -> (f64, f64) {
    let column = if gender == Gender::Male { 3 } else { 1 };
    let read = |column: usize| interpolate(years, column);
    (read(column) * (1.0 + 0.22 * build), read(column + 1) * (1.0 + 0.065 * build))
}

fn interpolate(years: f64, column: usize) -> f64 {
    let after = MIDDLE.iter().position(|row| row[0] >= years).unwrap_or(MIDDLE.len() - 1).max(1);
    let (a, b) = (&MIDDLE[after - 1], &MIDDLE[after]);
    let share = ((years - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0);
    a[column] + (b[column] - a[column]) * share
}

/// Head circumference in centimetres, for the first three years.
pub fn head(years: f64, build: f64) -> f64 {
    let first = 34.2 + 11.4 * (years.min(1.0) * (2.0 - years.min(1.0)));
    (first + (years - 1.0).max(0.0) * 1.6) * (1.0 + 0.03 * build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_only_ever_get_taller() {
        let heights: Vec<f64> = (0..180).map(|n| at(f64::from(n) / 10.0, Gender::Female, 0.3).1).collect();
        assert!(heights.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
