//! Notes that a router or NAT instance, with its source/destination check off, loses its routes (TRAP 65).
//!
//! Both the check and the routes belong to the network interface. With `private-ip=keep` the replacement is launched on
//! the same interface, so they are kept; a route shows `blackhole` meanwhile. A new interface has the check on, and no
//! route leads to it, so a note says this while there is time. (Secondary interfaces move with both.)
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html>: "you can enable or disable
//!   source/destination checks" of an interface, and "you can move an interface to another instance" with its
//!   attributes
//! - <https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html>

use crate::plan::draft::Plan;
use crate::plan::facts::{asked, launcher};
use crate::plan::lineage::Lineage;
use crate::situation::Instance;
use crate::tags;

pub fn tell(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let follows =
        asked::kept_interface(lineage).is_some() && launcher::why_not_ours(lineage).is_none();
    let Some(interface) = owner
        .primary_interface()
        .filter(|_| owner.forwards && !follows)
    else {
        return;
    };
    plan.note(format!(
        "{} forwards what is not meant for it (its source/destination check is off): its replacement has a new interface, \
         with the check on, and routes to {} lead nowhere; {}private-ip=keep keeps the interface with both",
        owner.id,
        interface.id,
        tags::PREFIX
    ));
}
