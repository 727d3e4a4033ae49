//! What several conversions of SDK types have in common.

use aws_sdk_ec2::types as ec2;

/// A service that manages what bears this; some do not give their name.
pub fn operator(it: Option<&ec2::OperatorResponse>) -> Option<String> {
    let operator = it.filter(|it| it.managed().unwrap_or(false))?;
    Some(operator.principal().unwrap_or("an AWS service").to_owned())
}

pub fn strings<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    values.flatten().map(str::to_owned).collect()
}
