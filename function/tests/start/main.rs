//! What the function makes of its environment: endpoints, and which servers it takes for AWS.

mod environment;
mod process;
mod trust;
