//! The form of `Date` and its kin: IMF-fixdate (RFC 9110 5.6.7). The time itself is passed in.

/// The last second of the year 9999; the form has four digits for the year.
const LAST_SECOND: u64 = 253_402_300_799;

const DAYS: [[u8; 3]; 7] = [
    *b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed",
];
const MONTHS: [[u8; 3]; 12] = [
    *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep", *b"Oct",
    *b"Nov", *b"Dec",
];

/// `unix_seconds` as `Sun, 06 Nov 1994 08:49:37 GMT`. Times behind the year 9999 are given as its last second.
pub fn imf_fixdate(unix_seconds: u64) -> [u8; 29] {
    let time = unix_seconds.min(LAST_SECOND);
    let (days, second) = (time / 86_400, time % 86_400);
    let (year, month, day) = civil(days);
    // 1 January 1970 was a Thursday.
    let [d0, d1, d2] = DAYS.get((days % 7) as usize).copied().unwrap_or_default();
    let [m0, m1, m2] = MONTHS.get(month as usize).copied().unwrap_or_default();
    let [y0, y1] = two(year / 100);
    let [y2, y3] = two(year % 100);
    let [a, b] = two(day);
    let [h0, h1] = two(second / 3600);
    let [n0, n1] = two(second / 60 % 60);
    let [s0, s1] = two(second % 60);
    [
        d0, d1, d2, b',', b' ', a, b, b' ', m0, m1, m2, b' ', y0, y1, y2, y3, b' ', h0, h1, b':',
        n0, n1, b':', s0, s1, b' ', b'G', b'M', b'T',
    ]
}

/// Two decimal digits.
fn two(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// Year, month from 0, day from 1, of a count of days since 1 January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is a year's last, and in eras of 400 years from year 0.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let day = day - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (era * 400 + year + u64::from(month < 2), month, day)
}
