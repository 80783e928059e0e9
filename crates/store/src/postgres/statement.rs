//! Tells statements apart and fills in their parameters.
//!
//! Nothing here decides what somebody may see: a statement that is taken for the wrong kind is refused by whoever runs it,
//! because the engine has no catalogue and the catalogue has no rows.

use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, ObjectName, ObjectNamePart, Set, TransactionMode, visit_expressions, visit_relations,
    visit_statements,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::PG_CATALOG_TABLES;
use std::ops::ControlFlow;

/// The one schema that holds tables.
pub(super) const SCHEMA: &str = "public";

/// What confirms a statement that gave rows.
const ROWS: &str = "SELECT";

/// Parameters of one statement at most, as many as the protocol can count.
const PARAMETERS_MAX: usize = u16::MAX as usize;

/// What a statement wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Rows of the project's tables.
    Question,
    /// Something about the tables, or about the session.
    Catalogue,
    /// `SET name = value`.
    Set {
        /// In lower case.
        name: String,
        /// As it was written, without quotation marks.
        value: String,
    },
    /// `SHOW name`, in lower case.
    Show(String),
    /// `BEGIN`.
    Begin,
    /// `COMMIT` or `END`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
    /// Something without effect here, such as `DISCARD ALL`; with the words that confirm it.
    Nothing(&'static str),
    /// Something that changes data, or that this service does not do.
    Refused(Refusal),
}

/// Why a statement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It changes something.
    ReadOnly,
    /// Nobody built it.
    Unknown,
}

/// One statement of a client's text.
#[derive(Debug, Clone)]
pub struct Statement {
    pieces: Vec<Piece>,
    offset_chars: usize,
    kind: Kind,
    tag: &'static str,
}

/// A part of a statement's text. Values are put between texts as they were written: a statement that is parsed and written
/// again can come out as another one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `$2` is 2.
    Parameter(usize),
    /// A database's name with its point, before `public.`.
    Database(String),
}

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, of an SQL type where it is known.
    Null(Option<&'static str>),
    /// A text.
    Text(String),
    /// A number or a truth value as SQL writes it. Whoever makes one has made sure that it is nothing else.
    Literal(String),
    /// What a text means as a value of an SQL type.
    Typed {
        /// `2026-11-24`.
        text: String,
        /// `DATE`.
        sql_type: &'static str,
    },
    /// Several values.
    List(Vec<Value>),
}

/// Splits a text into its statements; none for a text that says nothing.
///
/// A statement that PostgreSQL's grammar does not know is a question, which the engine answers or explains.
pub fn read(text: &str) -> Vec<Statement> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location() else {
        let pieces = vec![Piece::Text(text.to_owned())];
        return vec![Statement { pieces, offset_chars: 0, kind: Kind::Question, tag: ROWS }];
    };
    let starts = starts(text, &tokens);
    let mut statements = Vec::new();
    let mut first = 0;
    for end in 0..=tokens.len() {
        if end < tokens.len() && tokens[end].token != Token::SemiColon {
            continue;
        }
        if tokens[first..end].iter().any(|token| !matches!(token.token, Token::Whitespace(_))) {
            statements.push(Statement::of(text, &tokens[first..end], &starts[first..=end]));
        }
        first = end + 1;
    }
    statements
}

/// Where each token begins, in bytes, and the end of the text.
fn starts(text: &str, tokens: &[TokenWithSpan]) -> Vec<usize> {
    let mut places = text.char_indices().peekable();
    let (mut line, mut column) = (1, 1);
    let mut starts = Vec::with_capacity(tokens.len() + 1);
    for token in tokens {
        let wanted = (token.span.start.line, token.span.start.column);
        while (line, column) < wanted
            && let Some((_, character)) = places.next()
        {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        starts.push(places.peek().map_or(text.len(), |(offset, _)| *offset));
    }
    starts.push(text.len());
    starts
}

impl Statement {
    /// `starts` has one entry more than `tokens`: where the statement ends.
    fn of(text: &str, tokens: &[TokenWithSpan], starts: &[usize]) -> Self {
        let (start, end) = (starts[0], starts[tokens.len()]);
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &text[start..end]).ok();
        let parsed = parsed.as_deref().and_then(<[_]>::first);
        Self {
            pieces: pieces(text, tokens, starts),
            offset_chars: text[..start].chars().count(),
            kind: parsed.map_or(Kind::Question, kind),
            tag: parsed.map_or(ROWS, tag),
        }
    }

    /// What it wants.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The word that confirms it when it gave rows.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// Characters before it in the text that it is part of.
    pub fn offset_chars(&self) -> usize {
        self.offset_chars
    }

    /// How many parameters it has: the highest `$n` in it.
    pub fn parameter_count(&self) -> usize {
        let number = |piece: &Piece| if let Piece::Parameter(number) = piece { *number } else { 0 };
        self.pieces.iter().map(number).max().unwrap_or(0)
    }

    /// Its text with values for its parameters; values that are missing are null.
    ///
    /// A table named with the database before it (`database.public.table`) loses that name: there is one database.
    pub fn text(&self, database: &str, values: &[Value]) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Parameter(number) => values.get(number - 1).unwrap_or(&Value::Null(None)).sql(),
            Piece::Database(name) if name == database => String::new(),
            Piece::Database(name) => with_point(name),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// Its text as it was written.
    pub fn source(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Parameter(number) => format!("${number}"),
            Piece::Database(name) => with_point(name),
        };
        self.pieces.iter().map(piece).collect()
    }
}

fn with_point(database: &str) -> String {
    format!("\"{}\".", database.replace('"', "\"\""))
}

fn pieces(text: &str, tokens: &[TokenWithSpan], starts: &[usize]) -> Vec<Piece> {
    let (mut pieces, mut position) = (Vec::new(), 0);
    while position < tokens.len() {
        let (piece, taken) = piece(text, &tokens[position..], &starts[position..]);
        match (pieces.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
            (_, piece) => pieces.push(piece),
        }
        position += taken;
    }
    pieces
}

/// What stands first, and how many tokens it is made of.
fn piece(text: &str, tokens: &[TokenWithSpan], starts: &[usize]) -> (Piece, usize) {
    let token = |place: usize| tokens.get(place).map(|token| &token.token);
    let named = match (token(0), token(1), token(2), token(3)) {
        (Some(Token::Word(database)), Some(Token::Period), Some(Token::Word(schema)), Some(Token::Period)) => {
            (schema.value == SCHEMA).then(|| database.value.clone())
        }
        _ => None,
    };
    if let Some(database) = named {
        return (Piece::Database(database), 2);
    }
    if let Some(Token::Placeholder(name)) = token(0)
        && let Some(number) = number(name)
    {
        return (Piece::Parameter(number), 1);
    }
    (Piece::Text(text[starts[0]..starts[1]].to_owned()), 1)
}

/// Number of a parameter: 2 for `$2`.
fn number(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse().ok().filter(|number| (1..=PARAMETERS_MAX).contains(number))
}

fn tag(statement: &ast::Statement) -> &'static str {
    match statement {
        ast::Statement::Explain { .. } | ast::Statement::ExplainTable { .. } => "EXPLAIN",
        ast::Statement::ShowVariable { .. } => "SHOW",
        _ => ROWS,
    }
}

fn kind(statement: &ast::Statement) -> Kind {
    use ast::Statement as S;
    match statement {
        S::Query(_) | S::Explain { .. } | S::ExplainTable { .. } => {
            if writes(statement) {
                Kind::Refused(Refusal::ReadOnly)
            } else if concerns_catalogue(statement) {
                Kind::Catalogue
            } else {
                Kind::Question
            }
        }
        S::Set(set) => set_kind(set),
        S::ShowVariable { variable } => Kind::Show(shown(variable)),
        S::StartTransaction { modes, .. } if modes.contains(&WRITING) => Kind::Refused(Refusal::ReadOnly),
        S::StartTransaction { .. } => Kind::Begin,
        S::Commit { .. } => Kind::Commit,
        S::Rollback { savepoint: Some(_), .. } => Kind::Nothing("ROLLBACK"),
        S::Rollback { .. } => Kind::Rollback,
        S::Savepoint { .. } => Kind::Nothing("SAVEPOINT"),
        S::ReleaseSavepoint { .. } => Kind::Nothing("RELEASE"),
        S::Deallocate { .. } => Kind::Nothing("DEALLOCATE"),
        S::Discard { .. } => Kind::Nothing("DISCARD ALL"),
        S::Reset(_) => Kind::Nothing("RESET"),
        S::UNLISTEN { .. } => Kind::Nothing("UNLISTEN"),
        S::Close { .. } => Kind::Nothing("CLOSE CURSOR"),
        S::Declare { .. } | S::Fetch { .. } | S::LISTEN { .. } | S::Prepare { .. } | S::Execute { .. } => {
            Kind::Refused(Refusal::Unknown)
        }
        _ => Kind::Refused(Refusal::ReadOnly),
    }
}

/// A transaction that means to write.
const WRITING: TransactionMode = TransactionMode::AccessMode(ast::TransactionAccessMode::ReadWrite);

/// Whether a query hides something that writes: `WITH gone AS (DELETE …) SELECT …`, `EXPLAIN DELETE …`.
fn writes(statement: &ast::Statement) -> bool {
    let inner = visit_statements(statement, |statement| match statement {
        ast::Statement::Query(_) | ast::Statement::Explain { .. } | ast::Statement::ExplainTable { .. } => {
            ControlFlow::Continue(())
        }
        _ => ControlFlow::Break(()),
    });
    inner.is_break()
}

fn set_kind(set: &Set) -> Kind {
    let plain = |value: &Expr| value.to_string().trim_matches('\'').to_owned();
    match set {
        Set::SingleAssignment { variable, values, .. } => Kind::Set {
            name: variable.to_string().to_lowercase(),
            value: values.iter().map(plain).collect::<Vec<_>>().join(", "),
        },
        Set::SetTimeZone { value, .. } => Kind::Set { name: "timezone".into(), value: plain(value) },
        Set::SetNames { charset_name, .. } => {
            Kind::Set { name: "client_encoding".into(), value: charset_name.value.clone() }
        }
        Set::SetTransaction { modes, .. } if modes.contains(&WRITING) => Kind::Refused(Refusal::ReadOnly),
        _ => Kind::Nothing("SET"),
    }
}

/// The words of `SHOW`: `SHOW TRANSACTION ISOLATION LEVEL` means the setting `transaction_isolation`.
fn shown(words: &[Ident]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.value.to_lowercase()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["transaction", "isolation", "level"] => "transaction_isolation".into(),
        ["time", "zone"] => "timezone".into(),
        _ => words.join("."),
    }
}

/// Whether a query reads the catalogue, or reads no table and calls what only the catalogue knows.
fn concerns_catalogue(statement: &ast::Statement) -> bool {
    let (mut catalogue, mut tables) = (false, false);
    let _ = visit_relations(statement, |name| {
        let parts = parts(name);
        match parts.as_slice() {
            [.., schema, _] if CATALOGUE_SCHEMAS.contains(&schema.as_str()) => catalogue = true,
            [name] if PG_CATALOG_TABLES.contains(&name.as_str()) => catalogue = true,
            _ => tables = true,
        }
        ControlFlow::<()>::Continue(())
    });
    catalogue || (!tables && calls_catalogue(statement))
}

/// Schemas that hold no data.
const CATALOGUE_SCHEMAS: [&str; 2] = ["pg_catalog", "information_schema"];

/// Functions about the session that the engine lacks, or answers in its own name.
const SESSION_FUNCTIONS: [&str; 18] = [
    "version",
    "current_database",
    "current_catalog",
    "current_schema",
    "current_schemas",
    "current_user",
    "current_role",
    "session_user",
    "user",
    "current_setting",
    "set_config",
    "format_type",
    "quote_ident",
    "obj_description",
    "col_description",
    "shobj_description",
    "to_regclass",
    "txid_current",
];

fn calls_catalogue(statement: &ast::Statement) -> bool {
    let found = visit_expressions(statement, |expression| {
        let known = match expression {
            Expr::Function(function) => {
                let parts = parts(&function.name);
                let name = parts.last().map_or("", String::as_str);
                (parts.len() > 1 && parts[0] == "pg_catalog")
                    || SESSION_FUNCTIONS.contains(&name)
                    || ["pg_", "has_", "inet_"].iter().any(|start| name.starts_with(start))
            }
            Expr::Identifier(name) if name.quote_style.is_none() => {
                SESSION_FUNCTIONS.contains(&name.value.to_lowercase().as_str())
            }
            Expr::Cast { data_type, .. } => data_type.to_string().to_lowercase().starts_with("reg"),
            _ => false,
        };
        if known { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

/// The parts of a name, in lower case.
fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(ObjectNamePart::as_ident).map(|part| part.value.to_lowercase()).collect()
}

impl Value {
    /// The value as SQL.
    fn sql(&self) -> String {
        match self {
            Self::Null(None) => "NULL".into(),
            Self::Null(Some(sql_type)) => format!("CAST(NULL AS {sql_type})"),
            Self::Text(text) => format!("'{}'", quoted(text)),
            Self::Literal(literal) => literal.clone(),
            Self::Typed { text, sql_type } => format!("CAST('{}' AS {sql_type})", quoted(text)),
            Self::List(values) => format!("ARRAY[{}]", values.iter().map(Self::sql).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// A text between quotation marks that cannot end itself: a backslash means nothing to the engine.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        read(text).iter().map(|statement| statement.kind().clone()).collect()
    }

    #[test]
    fn a_text_is_split_where_a_statement_ends_and_nowhere_else() {
        let statements = read("SELECT ';' AS \"a;b\" -- no; end\n; /* nothing; */ ; SELECT $$ ; $$");
        let texts: Vec<String> = statements.iter().map(Statement::source).collect();
        assert_eq!(texts, ["SELECT ';' AS \"a;b\" -- no; end\n", " SELECT $$ ; $$"]);
        assert_eq!(statements[1].offset_chars(), 49);
        assert!(read(" ;; -- nothing").is_empty());
    }

    #[test]
    fn rows_come_from_the_engine_and_names_from_the_catalogue() {
        use Kind::{Catalogue, Question};
        for (text, kind) in [
            ("SELECT 1", Question),
            ("SELECT * FROM activity_graph", Question),
            ("SELECT version()", Catalogue),
            ("SELECT pg_catalog.version()", Catalogue),
            ("SELECT current_schema", Catalogue),
            ("SELECT \"user\" FROM steps", Question),
            ("SELECT version(), cases FROM case_variants", Question),
            ("SELECT relname FROM pg_class", Catalogue),
            ("SELECT table_name FROM Information_Schema.Tables", Catalogue),
            ("WITH t AS (SELECT oid FROM pg_catalog.pg_type) SELECT * FROM t, activity_graph", Catalogue),
            ("SELECT 'x'::regclass::oid", Catalogue),
            ("this is no SQL", Question),
        ] {
            assert_eq!(kinds(text), [kind], "{text}");
        }
    }

    #[test]
    fn what_changes_something_is_refused_wherever_it_hides() {
        for text in [
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "DROP TABLE t",
            "CREATE TABLE t AS SELECT 1",
            "COPY t TO '/tmp/t'",
            "COPY t FROM PROGRAM 'id'",
            "TRUNCATE t",
            "GRANT SELECT ON t TO x",
            "CALL p()",
            "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
            "EXPLAIN ANALYZE DELETE FROM t",
            "BEGIN READ WRITE",
            "SET TRANSACTION READ WRITE",
        ] {
            assert_eq!(kinds(text), [Kind::Refused(Refusal::ReadOnly)], "{text}");
        }
    }

    #[test]
    fn what_concerns_the_session_says_so() {
        let set = |name: &str, value: &str| Kind::Set { name: name.into(), value: value.into() };
        assert_eq!(
            kinds("SET DateStyle TO 'ISO, MDY'; SET TIME ZONE 'UTC'; set extra_float_digits = 3"),
            [set("datestyle", "ISO, MDY"), set("timezone", "UTC"), set("extra_float_digits", "3")]
        );
        assert_eq!(
            kinds("SHOW TRANSACTION ISOLATION LEVEL; BEGIN READ ONLY; COMMIT; ROLLBACK; DISCARD ALL"),
            [
                Kind::Show("transaction_isolation".into()),
                Kind::Begin,
                Kind::Commit,
                Kind::Rollback,
                Kind::Nothing("DISCARD ALL"),
            ]
        );
        assert_eq!(kinds("DECLARE c CURSOR FOR SELECT 1"), [Kind::Refused(Refusal::Unknown)]);
    }

    #[test]
    fn tq1_a_value_stays_a_value_whatever_it_holds() {
        let statements = read(r"SELECT * FROM t WHERE a = $1 AND b = '$2' AND c IN ($2, 'it''s \''x')");
        let [statement] = statements.as_slice() else { panic!("one statement") };
        assert_eq!(statement.parameter_count(), 2);
        let values = [Value::Text(r"x\' OR 1=1 --".into()), Value::Text("'; DROP".into())];
        assert_eq!(
            statement.text("db", &values),
            r"SELECT * FROM t WHERE a = 'x\'' OR 1=1 --' AND b = '$2' AND c IN ('''; DROP', 'it''s \''x')"
        );
        let values = [Value::Null(Some("BIGINT")), Value::List(vec![Value::Literal("1".into()), Value::Null(None)])];
        let filled = statement.text("db", &values);
        assert!(filled.contains("a = CAST(NULL AS BIGINT)") && filled.contains("IN (ARRAY[1, NULL],"), "{filled}");
    }

    #[test]
    fn the_one_database_may_be_named() {
        let statements = read("SELECT \"my db\".public.t.a FROM \"my db\".public.t, other.public.t");
        assert_eq!(statements[0].text("my db", &[]), "SELECT public.t.a FROM public.t, \"other\".public.t");
    }
}
