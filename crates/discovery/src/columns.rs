//! Reads the columns of a batch into plain slices, once per batch, so that the loops of the operators see only integers.
//!
//! Keys and times keep their buffers where the type allows it; everything else is widened. Text is not read here
//! but in [`crate::symbols`].

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type,
    UInt16Type, UInt32Type,
};

use crate::kernel::KernelError;

/// A column of integers: keys, orders, times.
pub(crate) struct Integers<'a> {
    pub values: Cow<'a, [i64]>,
    /// Which rows hold a value; `None` if all do.
    pub valid: Option<NullBuffer>,
}

impl Integers<'_> {
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.valid.as_ref().is_some_and(|valid| valid.is_null(row))
    }
}

/// Reads an integer or timestamp column as 64-bit integers; a column of type `Null` is all absent.
pub(crate) fn integers<'a>(array: &'a ArrayRef, column: &'static str) -> Result<Integers<'a>, KernelError> {
    let values = match array.data_type() {
        DataType::Int64 => Cow::Borrowed(array.as_primitive::<Int64Type>().values().as_ref()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampMicrosecondType>().values().as_ref())
        }
        DataType::Int32 => widen(array.as_primitive::<Int32Type>().values()),
        DataType::Int16 => widen(array.as_primitive::<Int16Type>().values()),
        DataType::Int8 => widen(array.as_primitive::<Int8Type>().values()),
        DataType::UInt32 => widen(array.as_primitive::<UInt32Type>().values()),
        DataType::UInt16 => widen(array.as_primitive::<UInt16Type>().values()),
        DataType::UInt8 => widen(array.as_primitive::<UInt8Type>().values()),
        DataType::Date32 => widen(array.as_primitive::<Date32Type>().values()),
        DataType::Null => Cow::Owned(vec![0; array.len()]),
        found => {
            return Err(KernelError::ColumnType {
                column,
                expected: "an integer or a timestamp in microseconds",
                found: found.clone(),
            });
        }
    };
    Ok(Integers { values, valid: array.logical_nulls().filter(|nulls| nulls.null_count() > 0) })
}

fn widen<T: Copy + Into<i64>>(values: &[T]) -> Cow<'static, [i64]> {
    Cow::Owned(values.iter().map(|&value| value.into()).collect())
}

/// Reads an integer column that must hold a value in every row.
pub(crate) fn mandatory<'a>(array: &'a ArrayRef, column: &'static str) -> Result<Cow<'a, [i64]>, KernelError> {
    let integers = integers(array, column)?;
    match integers.valid {
        None => Ok(integers.values),
        Some(_) => Err(KernelError::Null { column }),
    }
}

/// Reads a column of flags; null is false, and so is a column of type `Null`.
pub(crate) fn flags(array: &ArrayRef, column: &'static str) -> Result<Option<BooleanArray>, KernelError> {
    match array.data_type() {
        DataType::Null => Ok(None),
        DataType::Boolean => Ok(Some(array.as_boolean().clone())),
        found => Err(KernelError::ColumnType { column, expected: "a boolean", found: found.clone() }),
    }
}

/// Whether the flag of a row is set.
pub(crate) fn is_set(flags: &Option<BooleanArray>, row: usize) -> bool {
    flags.as_ref().is_some_and(|flags| flags.is_valid(row) && flags.value(row))
}

/// Checks that a batch has at least `least` columns and all are of one length; gives that length.
pub(crate) fn rows(
    columns: &[ArrayRef],
    least: usize,
    operator: &'static str,
    expected: &'static str,
) -> Result<usize, KernelError> {
    let error = KernelError::Columns { operator, expected };
    let Some(first) = columns.first().filter(|_| columns.len() >= least) else { return Err(error) };
    if columns.iter().any(|column| column.len() != first.len()) { Err(error) } else { Ok(first.len()) }
}
