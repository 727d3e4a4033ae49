//! Which servers are taken for AWS: those with a certificate of Amazon's own authority, or else of one in the
//! system's store.
//!
//! The endpoints of AWS have certificates of Amazon Trust Services. Its five roots are read in no time; the system's
//! store with its 140 roots takes as long as the rest of a start. It is read only when an endpoint turns up that
//! Amazon's roots do not vouch for: a proxy that inspects the traffic, a partition with an authority of its own.
//! Amazon's roots are in every system's store, so no server is trusted that the system would not trust.
//!
//! <https://www.amazontrust.com/repository/>: a trust store of one's own should contain all five.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const AMAZON: &[u8] = include_bytes!("trust/amazon.pem");

#[derive(Debug)]
pub struct Https {
    amazon: SharedHttpClient,
    system: SharedHttpClient,
    /// Amazon's roots do not vouch for the server.
    foreign: Arc<AtomicBool>,
}

impl Https {
    pub fn new() -> Self {
        Self {
            amazon: client(TrustStore::empty().with_pem_certificate(AMAZON)),
            system: client(TrustStore::default()),
            foreign: Arc::default(),
        }
    }
}

/// Nothing is read before it is used.
fn client(roots: TrustStore) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(roots).build();
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    builder
        .tls_context(context.unwrap_or_default())
        .build_https()
}

impl HttpClient for Https {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        if self.foreign.load(Ordering::Relaxed) {
            return self.system.http_connector(settings, components);
        }
        SharedHttpConnector::new(Connector {
            amazon: self.amazon.http_connector(settings, components),
            system: self.system.clone(),
            foreign: self.foreign.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }

    /// Read ahead while there is time: before the first call.
    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.amazon.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.amazon.connector_metadata()
    }
}

#[derive(Debug, Clone)]
struct Connector {
    amazon: SharedHttpConnector,
    system: SharedHttpClient,
    foreign: Arc<AtomicBool>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (this, again) = (self.clone(), request.try_clone());
        let first = self.amazon.call(request);
        HttpConnectorFuture::new(async move {
            match (first.await, again) {
                (Err(error), Some(request)) if is_unknown(&error) => this.ask_system(request).await,
                (answer, _) => answer,
            }
        })
    }
}

impl Connector {
    /// The handshake has failed: nothing of the request has been sent.
    fn ask_system(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !self.foreign.swap(true, Ordering::Relaxed) {
            tracing::info!(
                host = request.uri(),
                "the certificate is not of Amazon's authority: trying the system's trust store"
            );
        }
        let connector = self.system.http_connector(&self.settings, &self.components);
        connector.call(request)
    }
}

/// A certificate was refused. I/O errors hide the error they carry from `source`.
fn is_unknown(error: &(dyn Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    let io = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    let inner = io.map(|it| it as &(dyn Error + 'static));
    inner.or_else(|| error.source()).is_some_and(is_unknown)
}
