//! What the function makes of its environment: endpoints, and whom it believes to be AWS.

mod environment;
mod process;
mod trust;
