//! Why no image of the root volume can be made.

use crate::plan::lineage::Lineage;
use crate::record::Original;

/// None if an image can be made.
pub fn why(lineage: &Lineage) -> Option<String> {
    let recorded = &lineage.record;
    if recorded.root().is_none() && !recorded.volumes.is_empty() {
        return Some("the root is not an EBS volume".to_owned());
    }
    let Original { image, boot } = recorded.original.as_ref()?;
    if boot.platform.to_lowercase().starts_with("windows") {
        return Some(format!("{} is not supported", boot.platform));
    }
    let code = boot.product_codes.first()?;
    Some(format!(
        "{image} is of the AWS Marketplace (product code {code}), and no image may be made of it"
    ))
}
