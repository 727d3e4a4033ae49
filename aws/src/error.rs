//! `SdkError` -> [`CloudError`]: keeps operation, AWS's code and request id. `SdkError`'s own text
//! is only "service error".

use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use spot_rescue::cloud::CloudError;

/// For `map_err`: `.map_err(failed("DescribeInstances"))`.
pub fn failed<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> CloudError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    move |error| match &error {
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            let code = meta.code().unwrap_or("Unknown");
            let message = meta.message().unwrap_or("no message");
            CloudError::new(operation, code, message, meta.request_id())
        }
        // No answer, or none that can be read: the call may or may not have been carried out.
        SdkError::TimeoutError(_) => CloudError::no_answer(operation),
        // The enum is open: unknown variants count as no answer, too.
        SdkError::ConstructionFailure(_)
        | SdkError::DispatchFailure(_)
        | SdkError::ResponseError(_)
        | _ => CloudError::new(
            operation,
            "Dispatch",
            &DisplayErrorContext(&error).to_string(),
            None,
        ),
    }
}
