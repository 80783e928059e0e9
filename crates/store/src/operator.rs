//! How the engine borrows functions that stand elsewhere: folds over ordered rows, and functions of a row.
//!
//! This crate knows no algorithm. An [`Operator`] is an aggregate function whose rows arrive in the order of events;
//! its [`Fold`] is written by whoever registers it. A [`RowFunction`] gives one text per row, such as a label.

use crate::columns::text_type;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, Volatility,
};
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One pass over ordered rows that ends in a small table.
///
/// The engine may run one fold per partition (no agent is in two) and merge them, in any order.
/// Errors are sentences in lower case; the engine shows them with the name of the function.
pub trait Fold: Send + Sync + Debug {
    /// Takes the next rows: one array per argument, all of the same length.
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), String>;
    /// What [`Fold::merge`] of another process's fold can read.
    fn state(&mut self) -> Result<Vec<u8>, String>;
    /// Adds what another fold saw.
    fn merge(&mut self, state: &[u8]) -> Result<(), String>;
    /// The answer: one row per group.
    fn finish(&mut self) -> Result<StructArray, String>;
    /// Bytes held, for the memory limit.
    fn size_bytes(&self) -> usize;
}

/// An aggregate function for SQL; its value is a list of structs, to be read with `unnest`.
#[derive(Clone)]
pub struct Operator {
    /// Name in SQL.
    pub name: &'static str,
    /// Its arguments, for people.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// How many arguments it takes (several forms are possible).
    pub arguments: &'static [usize],
    /// Columns of the answer, given the types of the arguments.
    pub returns: fn(&[DataType]) -> Fields,
    /// A new fold, given the types of the arguments.
    pub start: fn(&[DataType]) -> Box<dyn Fold>,
}

/// Computes one array of texts from arrays of dictionary-encoded text, all of the same length; errors are sentences.
pub type RowCompute = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef, String> + Send + Sync>;

/// A function that gives each row a text.
#[derive(Clone)]
pub struct RowFunction {
    /// Name in SQL.
    pub name: &'static str,
    /// Its arguments, for people.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// Number of arguments, all text.
    pub arguments: usize,
    /// How.
    pub compute: RowCompute,
}

/// The functions of a row that one project has, and what they were made from.
#[derive(Clone, Default)]
pub struct RowFunctions {
    /// The functions.
    pub functions: Vec<RowFunction>,
    /// From which another process can make the same ones; whoever registers them knows how to read it.
    pub source: String,
}

impl Operator {
    pub(crate) fn aggregate(&self) -> AggregateUDF {
        AggregateUDF::from(Aggregate { signature: any_of(self.arguments), operator: self.clone() })
    }
}

impl RowFunction {
    pub(crate) fn scalar(&self) -> ScalarUDF {
        ScalarUDF::from(Scalar { signature: any_of(&[self.arguments]), function: self.clone() })
    }
}

fn any_of(arguments: &[usize]) -> Signature {
    Signature::one_of(arguments.iter().map(|count| TypeSignature::Any(*count)).collect(), Volatility::Immutable)
}

/// Two functions are the same if they have the same name: names are unique in a session.
macro_rules! same_by_name {
    ($type:ident, $field:ident) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.$field.name == other.$field.name
            }
        }
        impl Eq for $type {}
        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.$field.name.hash(state);
            }
        }
        impl Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.$field.name)
            }
        }
    };
}

struct Aggregate {
    signature: Signature,
    operator: Operator,
}

same_by_name!(Aggregate, operator);

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        self.operator.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item((self.operator.returns)(arguments))))
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let types: Vec<DataType> = arguments.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Box::new(Folding {
            name: self.operator.name,
            arguments: types.len(),
            fields: (self.operator.returns)(&types),
            fold: (self.operator.start)(&types),
        }))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("state", DataType::Binary, true))])
    }
}

fn item(fields: Fields) -> FieldRef {
    Arc::new(Field::new("item", DataType::Struct(fields), true))
}

#[derive(Debug)]
struct Folding {
    name: &'static str,
    /// The engine adds the columns of an ORDER BY after the arguments; the fold does not want them.
    arguments: usize,
    fields: Fields,
    fold: Box<dyn Fold>,
}

impl Folding {
    fn error(&self) -> impl Fn(String) -> DataFusionError + use<> {
        let name = self.name;
        move |message| DataFusionError::Execution(format!("{name}: {message}"))
    }
}

impl Accumulator for Folding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.fold.update(&values[..self.arguments]).map_err(self.error())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.fold.state().map_err(self.error())?))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states[0].as_binary::<i32>();
        for state in states.iter().flatten() {
            self.fold.merge(state).map_err(self.error())?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rows = self.fold.finish().map_err(self.error())?;
        let list = ListArray::try_new(
            item(self.fields.clone()),
            OffsetBuffer::from_lengths([rows.len()]),
            Arc::new(rows),
            None,
        )?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        self.fold.size_bytes()
    }
}

struct Scalar {
    signature: Signature,
    function: RowFunction,
}

same_by_name!(Scalar, function);

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(text_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let texts =
            columns.iter().map(|column| arrow::compute::cast(column, &text_type())).collect::<Result<Vec<_>, _>>()?;
        // Arguments that are all constants come as one row, whatever the batch has.
        let found = (self.function.compute)(&texts)
            .map_err(|message| DataFusionError::Execution(format!("{}: {message}", self.function.name)))?;
        Ok(ColumnarValue::Array(arrow::compute::cast(&found, &text_type())?))
    }
}
