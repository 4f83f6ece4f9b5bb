//! Made-up tracking numbers whose check digits are right, so that a reader which checks them accepts them.

/// A number of this carrier; the same serial gives the same number.
pub(super) fn for_carrier(carrier: &str, serial: u64) -> String {
    match carrier {
        "UPS" => ups(serial),
        "USPS" => usps(serial),
        "FedEx" => fedex(serial),
        _ => format!("SIM{serial:09}"),
    }
}

/// 1Z, shipper, service, package, check digit: letters count as (code - 63) modulo 10, every second place doubly.
fn ups(serial: u64) -> String {
    let body = format!("999AA103{:07}", serial % 10_000_000);
    let value = |letter: u8| if letter.is_ascii_digit() { letter - b'0' } else { (letter - 63) % 10 };
    let sum: u32 = body.bytes().zip([1, 2].into_iter().cycle()).map(|(letter, weight)| u32::from(value(letter)) * weight).sum();
    format!("1Z{body}{}", (10 - sum % 10) % 10)
}

/// 22 digits: every second one from the right of the body counts three times.
fn usps(serial: u64) -> String {
    let body = format!("9400100000000{:08}", serial % 100_000_000);
    let sum: u32 = body.bytes().rev().zip([3, 1].into_iter().cycle()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// 12 digits: weights 3, 1, 7 from the left, modulo 11, then 10.
fn fedex(serial: u64) -> String {
    let body = format!("986{:08}", serial % 100_000_000);
    let sum: u32 = body.bytes().zip([3, 1, 7].into_iter().cycle()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{body}{}", sum % 11 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_length_and_check_digit_of_their_carrier() {
        assert_eq!(ups(1).len(), 18);
        assert_eq!(usps(1).len(), 22);
        assert_eq!(fedex(1).len(), 12);
        assert_ne!(ups(1), ups(2));
    }
}
