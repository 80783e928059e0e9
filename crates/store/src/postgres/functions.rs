//! Functions that clients call about the session and the catalogue, and that the engine's catalogue tables come without.
//!
//! Each gives one constant: this service has one schema, no comments, no indexes and no other roles to tell about.

use arrow::datatypes::{DataType, Field};
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// The PostgreSQL that clients are told they speak to: they choose by it what they ask.
pub(super) const SERVER_VERSION: &str = "16.6";

/// What the session's settings are. No client can change how the service works by setting them.
pub const SETTINGS: &[(&str, &str)] = &[
    ("server_version", SERVER_VERSION),
    ("server_version_num", "160006"),
    ("server_encoding", "UTF8"),
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("integer_datetimes", "on"),
    ("standard_conforming_strings", "on"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("is_superuser", "off"),
    ("in_hot_standby", "off"),
    ("transaction_isolation", "repeatable read"),
    ("default_transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
    ("default_transaction_read_only", "on"),
    ("search_path", "public"),
    ("max_identifier_length", "63"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("statement_timeout", "0"),
    ("application_name", ""),
    ("default_table_access_method", "heap"),
    ("wal_level", "replica"),
];

/// Every function, for a session of `user` in `database`.
pub(super) fn all(database: &str, user: &str) -> Vec<ScalarUDF> {
    let text = |value: &str| ScalarValue::Utf8(Some(value.to_owned()));
    let place = |name: &str| Field::new(name, DataType::Int32, true);
    let version = format!("PostgreSQL {SERVER_VERSION} (Lode {})", env!("CARGO_PKG_VERSION"));
    let constants = [
        ("version", text(&version)),
        ("current_catalog", text(database)),
        ("current_user", text(user)),
        ("current_role", text(user)),
        ("session_user", text(user)),
        ("user", text(user)),
        ("pg_client_encoding", text("UTF8")),
        ("getdatabaseencoding", text("UTF8")),
        ("txid_current", ScalarValue::Int64(Some(1))),
        ("pg_database_size", ScalarValue::Int64(Some(0))),
        ("pg_table_size", ScalarValue::Int64(Some(0))),
        ("pg_indexes_size", ScalarValue::Int64(Some(0))),
        ("inet_server_port", ScalarValue::Int32(None)),
        // Of the keys of indexes, of which there are none.
        ("generate_subscripts", ScalarValue::Int32(None)),
        ("_pg_expandarray", ScalarStructBuilder::new_null(vec![place("x"), place("n")])),
        ("pg_is_in_recovery", ScalarValue::Boolean(Some(false))),
        ("pg_is_other_temp_schema", ScalarValue::Boolean(Some(false))),
    ];
    let nothing = NOTHING_TO_TELL.iter().map(|name| (*name, ScalarValue::Utf8(None)));
    let holds = ALWAYS_TRUE.iter().map(|name| (*name, ScalarValue::Boolean(Some(true))));
    let constants = constants.into_iter().chain(nothing).chain(holds);
    let texts = [Setting::function("current_setting", About::Current), Setting::function("set_config", About::Set)];
    constants.map(|(name, value)| Constant::function(name, value)).chain(texts).collect()
}

/// There are no comments, indexes, rules, triggers, sequences, and no addresses that concern anybody.
const NOTHING_TO_TELL: &[&str] = &[
    "obj_description",
    "col_description",
    "shobj_description",
    "inet_server_addr",
    "inet_client_addr",
    "pg_get_indexdef",
    "pg_get_viewdef",
    "pg_get_ruledef",
    "pg_get_triggerdef",
    "pg_get_functiondef",
    "pg_get_function_result",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_serial_sequence",
    "pg_tablespace_location",
    "pg_size_pretty",
    "to_regtype",
];

/// Everything that the catalogue shows may be read by whoever sees it.
const ALWAYS_TRUE: &[&str] = &[
    "pg_type_is_visible",
    "pg_function_is_visible",
    "pg_operator_is_visible",
    "pg_opclass_is_visible",
    "pg_collation_is_visible",
    "pg_has_role",
    "has_column_privilege",
    "has_function_privilege",
    "has_sequence_privilege",
    "has_tablespace_privilege",
    "has_type_privilege",
];

/// A function about settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum About {
    /// `current_setting(name)`.
    Current,
    /// `set_config(name, value, is_local)`: says what it would be, and changes nothing.
    Set,
}

impl About {
    fn answer(self, arguments: &[&str]) -> Option<String> {
        match self {
            Self::Current => {
                let wanted = arguments.first()?.to_lowercase();
                SETTINGS.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
            }
            Self::Set => arguments.get(1).map(|value| (*value).to_owned()),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Setting {
    name: &'static str,
    signature: Signature,
    about: About,
}

impl Setting {
    fn function(name: &'static str, about: About) -> ScalarUDF {
        ScalarUDF::new_from_impl(Self { name, signature: Signature::variadic_any(Volatility::Stable), about })
    }
}

impl ScalarUDFImpl for Setting {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let text = |argument: &ColumnarValue| match argument {
            ColumnarValue::Scalar(value) => Ok(value.try_as_str().flatten().unwrap_or_default().to_owned()),
            ColumnarValue::Array(_) => plan_err!("{} takes constants", self.name),
        };
        let texts = arguments.args.iter().map(text).collect::<Result<Vec<_>>>()?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(self.about.answer(&texts))))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: &'static str,
    signature: Signature,
    value: ScalarValue,
}

impl Constant {
    fn function(name: &'static str, value: ScalarValue) -> ScalarUDF {
        let any = TypeSignature::OneOf(vec![TypeSignature::Nullary, TypeSignature::VariadicAny]);
        ScalarUDF::new_from_impl(Self { name, signature: Signature::new(any, Volatility::Stable), value })
    }
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}
