//! Questions of clients about the catalogue, put so that the engine can answer them.
//!
//! Clients ask for much that no table here has: indexes, constraints, sequences, defaults, collations. The engine cannot plan
//! the subqueries in which they ask for it, so each is answered where it stands: with nothing.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectNamePart, Query, Statement, Value, visit_expressions_mut, visit_relations,
};
use std::ops::ControlFlow;

/// Tables of the catalogue in which nothing is about a table or column of a project.
const EMPTY: [&str; 9] = [
    "pg_attrdef",
    "pg_sequence",
    "pg_index",
    "pg_constraint",
    "pg_inherits",
    "pg_collation",
    "pg_description",
    "pg_trigger",
    "pg_policy",
];

/// Rewrites a statement in place.
pub(super) fn answerable(statement: &mut Statement) {
    let _ = visit_expressions_mut(statement, |expression| {
        match expression {
            Expr::Subquery(query) if reads_nothing(query) => *expression = nothing(),
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
                if results.into_iter().all(is_nothing) {
                    *expression = nothing();
                }
            }
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                if let Some(Value::SingleQuotedString(escape)) = escape_char.as_ref().map(|escape| &escape.value) {
                    with_backslashes(pattern, &escape.clone());
                    *escape_char = None;
                }
            }
            Expr::CompoundIdentifier(parts) => without_schema(parts),
            Expr::CompoundFieldAccess { access_chain, .. } => access_chain.iter_mut().for_each(by_name),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.with_empty_span())
}

fn is_nothing(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if value.value == Value::Null)
}

/// Whether a subquery reads an empty table: joined with anything else it stays empty.
fn reads_nothing(query: &Query) -> bool {
    let found = visit_relations(query, |name| {
        let name = name.0.last().and_then(ObjectNamePart::as_ident).map(|name| name.value.to_lowercase());
        if name.is_some_and(|name| EMPTY.contains(&name.as_str())) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    found.is_break()
}

/// The engine knows one sign that takes a wildcard's meaning away: the backslash.
fn with_backslashes(pattern: &mut Expr, escape: &str) {
    let _ = visit_expressions_mut(pattern, |expression| {
        if let Expr::Value(value) = expression
            && let Value::SingleQuotedString(text) = &mut value.value
        {
            *text = text.replace(escape, "\\");
        }
        ControlFlow::<()>::Continue(())
    });
}

/// `pg_catalog.pg_class.relname` is `pg_class.relname`, so that it is found in a view of that name too.
fn without_schema(parts: &mut Vec<Ident>) {
    if parts.len() == 3 && parts[0].value.eq_ignore_ascii_case("pg_catalog") {
        parts.remove(0);
    }
}

/// The engine takes the name of a record's field, `(keys).n`, as a text.
fn by_name(access: &mut AccessExpr) {
    if let AccessExpr::Dot(field) = access
        && let Expr::Identifier(name) = field
    {
        *field = Expr::Value(Value::SingleQuotedString(name.value.clone()).with_empty_span());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    fn check(text: &str, wanted: &str) {
        let mut parsed = Parser::parse_sql(&PostgreSqlDialect {}, text).unwrap();
        answerable(&mut parsed[0]);
        assert_eq!(parsed[0].to_string(), wanted);
    }

    #[test]
    fn what_no_table_has_is_answered_with_nothing() {
        check(
            "SELECT CASE WHEN a.x <> '' THEN (SELECT f(s.y) FROM pg_sequence AS s WHERE s.z = a.x) ELSE NULL END AS b",
            "SELECT NULL AS b",
        );
        check("SELECT (SELECT count(*) FROM pg_class)", "SELECT (SELECT count(*) FROM pg_class)");
    }

    #[test]
    fn other_signs_than_the_backslash_are_translated() {
        check("SELECT a NOT LIKE 'pg/_' || '%' ESCAPE '/'", r"SELECT a NOT LIKE 'pg\_' || '%'");
    }
}
