//! What is kept between runs: the account at the authority, and the certificate with its key. Both are secrets, for the owner only.

use super::AcmeError;
use crate::tls::TlsError;
use instant_acme::AccountCredentials;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Below the data directory.
const FOLDER: &str = "acme";
const ACCOUNT: &str = "account.json";
const CERTIFICATE: &str = "certificate.json";

/// A certificate as the authority gave it, and its key, both in PEM form.
#[derive(Serialize, Deserialize)]
pub struct Issued {
    directory: String,
    domains: Vec<String>,
    pub chain: String,
    pub key: String,
}

#[derive(Serialize, Deserialize)]
struct Account {
    directory: String,
    credentials: AccountCredentials,
}

pub struct Store {
    folder: PathBuf,
    /// What is kept for another authority or for other names is not used.
    directory: String,
    domains: Vec<String>,
}

impl Store {
    /// Makes the folder.
    ///
    /// # Errors
    /// [`TlsError::Acme`].
    pub fn open(data: &Path, directory: &str, domains: &[String]) -> Result<Self, TlsError> {
        let folder = data.join(FOLDER);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(&folder);
        made.map_err(|source| TlsError::Acme(AcmeError::Store { path: folder.clone(), source }.into()))?;
        Ok(Self { folder, directory: directory.to_owned(), domains: domains.to_owned() })
    }

    /// Where the certificate is kept.
    pub fn file(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// The certificate that was kept for these names by this authority.
    pub fn certificate(&self) -> Result<Option<Issued>, AcmeError> {
        let kept: Option<Issued> = self.read(CERTIFICATE)?;
        Ok(kept.filter(|kept| kept.directory == self.directory && kept.domains == self.domains))
    }

    /// What an order has brought, ready to be kept.
    pub fn issued(&self, chain: String, key: String) -> Issued {
        Issued { directory: self.directory.clone(), domains: self.domains.clone(), chain, key }
    }

    pub fn keep(&self, issued: &Issued) -> Result<(), AcmeError> {
        self.write(CERTIFICATE, issued)
    }

    /// The account at this authority.
    pub fn account(&self) -> Result<Option<AccountCredentials>, AcmeError> {
        let kept: Option<Account> = self.read(ACCOUNT)?;
        Ok(kept.filter(|kept| kept.directory == self.directory).map(|kept| kept.credentials))
    }

    pub fn keep_account(&self, credentials: AccountCredentials) -> Result<(), AcmeError> {
        self.write(ACCOUNT, &Account { directory: self.directory.clone(), credentials })
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AcmeError> {
        let path = self.folder.join(name);
        match fs::read(&path) {
            // Serde's words may quote what stands in the file, which is a secret.
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| AcmeError::Store {
                path,
                source: io::Error::new(io::ErrorKind::InvalidData, "it is not what was kept there"),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AcmeError::Store { path, source }),
        }
    }

    /// Whoever reads the file sees all of the old or all of the new.
    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), AcmeError> {
        let path = self.folder.join(name);
        let spare = self.folder.join(format!("{name}.new"));
        let written = serde_json::to_vec(content).map_err(io::Error::from).and_then(|bytes| {
            // One that a run has left which did not come to its end may have any mode.
            match fs::remove_file(&spare) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&spare)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&spare, &path)
        });
        written.map_err(|source| AcmeError::Store { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_for_the_owner_and_for_these_names_only() {
        let data = tempfile::tempdir().expect("a folder");
        let open = |directory: &str, domain: &str| {
            Store::open(data.path(), directory, &[domain.to_owned()]).expect("a folder")
        };
        let store = open("https://ca.example", "a.example");
        assert!(store.certificate().expect("readable").is_none());
        for _ in 0..2 {
            store.keep(&store.issued("chain".to_owned(), "key".to_owned())).expect("kept");
        }
        assert_eq!(store.certificate().expect("readable").expect("kept").key, "key");
        assert!(open("https://ca.example", "b.example").certificate().expect("readable").is_none());
        assert!(open("https://other.example", "a.example").certificate().expect("readable").is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode(&store.folder), mode(&store.file())), (0o700, 0o600));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_without_what_it_holds() {
        let data = tempfile::tempdir().expect("a folder");
        let store = Store::open(data.path(), "https://ca.example", &[]).expect("a folder");
        fs::write(store.file(), r#"{"directory":1,"key":"hush"}"#).expect("written");
        let words = store.certificate().err().expect("not what was kept").to_string();
        assert!(words.contains("certificate.json") && !words.contains("hush"), "{words}");
    }
}
