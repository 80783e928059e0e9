//! Gives every distinct text a small number, so that the operators compare and count integers.
//!
//! Columns of the event table are dictionary-encoded: a batch brings codes and a dictionary, and batches of one row
//! group bring the same dictionary again. Each dictionary is looked up once; after that a row costs one array access.
//! A column that already holds integer keys passes through untouched. The mapping is private to a state: two states
//! may number the same text differently, which is why merging goes through [`Symbols::absorb`].

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Builder, StringArray, StringBuilder};
use arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
};

use crate::bytes::{Reader, Writer};
use crate::columns::integers;
use crate::kernel::KernelError;
use crate::pairs::BuildMix;

/// The symbol of an absent value.
pub const NO_SYMBOL: u32 = u32::MAX;

/// The largest integer key, and the largest number of distinct texts, in one state.
pub const SYMBOLS_MAX: u32 = u32::MAX - 1;

/// How the names of a column are given, and given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// As text; numbered here.
    Text,
    /// As integer keys from 0, numbered by the caller.
    Integer,
}

impl SymbolKind {
    /// The kind for a column of this type: integers are keys, everything else is taken as text.
    pub fn of(data_type: &DataType) -> SymbolKind {
        if data_type.is_integer() { SymbolKind::Integer } else { SymbolKind::Text }
    }

    /// The type in which names are given back.
    pub fn data_type(self) -> DataType {
        match self {
            SymbolKind::Text => DataType::Utf8,
            SymbolKind::Integer => DataType::Int64,
        }
    }
}

/// The names of one column of one state.
#[derive(Debug)]
pub struct Symbols {
    kind: SymbolKind,
    /// Text of each symbol, in order of first sight.
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32, BuildMix>,
    /// The dictionary seen last, kept alive so that its address cannot come to mean another one.
    seen: Option<SeenDictionary>,
    text_bytes: usize,
}

#[derive(Debug)]
struct SeenDictionary {
    values: ArrayRef,
    symbols: Vec<u32>,
}

impl Symbols {
    /// An empty set of names.
    pub fn new(kind: SymbolKind) -> Symbols {
        Symbols { kind, texts: Vec::new(), numbers: HashMap::default(), seen: None, text_bytes: 0 }
    }

    /// How names are given.
    pub fn kind(&self) -> SymbolKind {
        self.kind
    }

    /// The symbol of a text, new or known.
    pub fn symbol(&mut self, text: &str) -> u32 {
        if let Some(&symbol) = self.numbers.get(text) {
            return symbol;
        }
        // Memory ends long before four billion distinct texts do.
        let symbol = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.text_bytes += text.len();
        self.texts.push(text.clone());
        self.numbers.insert(text, symbol);
        symbol
    }

    /// Replaces the content of `symbols` by one symbol per row of `array`; absent values become [`NO_SYMBOL`].
    ///
    /// Errors: [`KernelError::ColumnType`] names `column` if it is neither text nor integer,
    /// [`KernelError::SymbolKey`] the first integer outside `0..=SYMBOLS_MAX`, [`KernelError::Kinds`] if the kind
    /// of the column is not the kind of this state.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use arrow::array::{ArrayRef, StringArray};
    /// # use discovery::{NO_SYMBOL, SymbolKind, Symbols};
    /// let column: ArrayRef = Arc::new(StringArray::from(vec![Some("copy"), None, Some("paste"), Some("copy")]));
    /// let (mut names, mut symbols) = (Symbols::new(SymbolKind::Text), Vec::new());
    /// names.read(&column, "activity", &mut symbols).unwrap();
    /// assert_eq!(symbols, [0, NO_SYMBOL, 1, 0]);
    /// ```
    pub fn read(&mut self, array: &ArrayRef, column: &'static str, symbols: &mut Vec<u32>) -> Result<(), KernelError> {
        symbols.clear();
        symbols.reserve(array.len());
        match array.data_type() {
            DataType::Null => symbols.resize(array.len(), NO_SYMBOL),
            found if self.kind == SymbolKind::Integer || found.is_integer() => {
                if SymbolKind::of(found) != self.kind {
                    return Err(KernelError::Kinds);
                }
                read_keys(array, column, symbols)?;
            }
            DataType::Dictionary(keys, _) => match keys.as_ref() {
                DataType::Int32 => self.read_dictionary::<Int32Type>(array, column, symbols)?,
                DataType::UInt32 => self.read_dictionary::<UInt32Type>(array, column, symbols)?,
                DataType::Int16 => self.read_dictionary::<Int16Type>(array, column, symbols)?,
                DataType::UInt16 => self.read_dictionary::<UInt16Type>(array, column, symbols)?,
                DataType::Int8 => self.read_dictionary::<Int8Type>(array, column, symbols)?,
                DataType::UInt8 => self.read_dictionary::<UInt8Type>(array, column, symbols)?,
                DataType::Int64 => self.read_dictionary::<Int64Type>(array, column, symbols)?,
                _ => return Err(not_text(array, column)),
            },
            _ => self.read_texts(array, column, symbols)?,
        }
        Ok(())
    }

    fn read_texts(
        &mut self,
        array: &ArrayRef,
        column: &'static str,
        symbols: &mut Vec<u32>,
    ) -> Result<(), KernelError> {
        let mut read = |text: Option<&str>| symbols.push(text.map_or(NO_SYMBOL, |text| self.symbol(text)));
        match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().iter().for_each(&mut read),
            DataType::LargeUtf8 => array.as_string::<i64>().iter().for_each(&mut read),
            DataType::Utf8View => array.as_string_view().iter().for_each(&mut read),
            _ => return Err(not_text(array, column)),
        }
        Ok(())
    }

    fn read_dictionary<K: ArrowDictionaryKeyType>(
        &mut self,
        array: &ArrayRef,
        column: &'static str,
        symbols: &mut Vec<u32>,
    ) -> Result<(), KernelError> {
        let dictionary = array.as_dictionary::<K>();
        let seen = match self.seen.take().filter(|seen| is_same_dictionary(&seen.values, dictionary.values())) {
            Some(seen) => seen,
            None => {
                let values = dictionary.values().clone();
                let mut of_values = Vec::with_capacity(values.len());
                self.read_texts(&values, column, &mut of_values)?;
                SeenDictionary { values, symbols: of_values }
            }
        };
        let symbol_of = |code: usize| seen.symbols.get(code).copied().unwrap_or(NO_SYMBOL);
        match dictionary.keys().nulls().filter(|nulls| nulls.null_count() > 0) {
            None => symbols.extend(dictionary.keys().values().iter().map(|&code| symbol_of(as_index(code)))),
            Some(_) => symbols
                .extend(dictionary.keys().iter().map(|code| code.map_or(NO_SYMBOL, |code| symbol_of(as_index(code))))),
        }
        self.seen = Some(seen);
        Ok(())
    }

    /// Takes in the names of another state; the answer gives, for each symbol of `other`, the symbol here.
    pub(crate) fn absorb(&mut self, other: &Symbols) -> Result<Translation, KernelError> {
        if self.kind != other.kind {
            return Err(KernelError::Kinds);
        }
        Ok(match self.kind {
            SymbolKind::Integer => Translation(None),
            SymbolKind::Text => Translation(Some(other.texts.iter().map(|text| self.symbol(text)).collect())),
        })
    }

    /// The name of a symbol, integers in decimal; empty for a symbol this state never gave out.
    pub fn name(&self, symbol: u32) -> std::borrow::Cow<'_, str> {
        match self.kind {
            SymbolKind::Integer => symbol.to_string().into(),
            SymbolKind::Text => self.texts.get(symbol as usize).map_or("", |text| text).into(),
        }
    }

    /// The order of names: texts by their bytes, keys by number, absent ones last.
    pub(crate) fn compare(&self, one: u32, other: u32) -> Ordering {
        match (self.texts.get(one as usize), self.texts.get(other as usize)) {
            (Some(one), Some(other)) => one.cmp(other),
            _ => one.cmp(&other),
        }
    }

    /// The names of `symbols` as a column of [`SymbolKind::data_type`]; [`NO_SYMBOL`] is null.
    pub(crate) fn column(&self, symbols: impl Iterator<Item = u32>) -> ArrayRef {
        match self.kind {
            SymbolKind::Integer => {
                let mut keys = Int64Builder::new();
                symbols.for_each(|symbol| keys.append_option((symbol != NO_SYMBOL).then_some(i64::from(symbol))));
                Arc::new(keys.finish())
            }
            SymbolKind::Text => {
                let mut texts = StringBuilder::new();
                symbols.for_each(|symbol| texts.append_option(self.texts.get(symbol as usize)));
                Arc::new(texts.finish())
            }
        }
    }

    /// All texts in the order of their symbols.
    pub(crate) fn texts(&self) -> StringArray {
        self.texts.iter().map(|text| Some(text.as_ref())).collect()
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.number(u64::from(self.kind == SymbolKind::Integer));
        to.number(self.texts.len() as u64);
        self.texts.iter().for_each(|text| to.bytes(text.as_bytes()));
    }

    pub(crate) fn from_reader(from: &mut Reader<'_>) -> Result<Symbols, KernelError> {
        let kind = if from.number()? == 0 { SymbolKind::Text } else { SymbolKind::Integer };
        let mut symbols = Symbols::new(kind);
        for _ in 0..from.count()? {
            let text = std::str::from_utf8(from.bytes()?).map_err(|_| from.error("a name is not UTF-8"))?;
            symbols.symbol(text);
        }
        Ok(symbols)
    }

    /// Memory held.
    pub fn size_bytes(&self) -> usize {
        let per_text = size_of::<Arc<str>>() * 2 + 16 + size_of::<u32>() * 2;
        self.text_bytes
            + self.texts.capacity() * per_text
            + self.seen.as_ref().map_or(0, |seen| seen.values.get_array_memory_size() + seen.symbols.capacity() * 4)
    }
}

/// From the symbols of an absorbed state to those of the absorbing one.
pub(crate) struct Translation(Option<Vec<u32>>);

impl Translation {
    pub(crate) fn of(&self, symbol: u32) -> u32 {
        match &self.0 {
            None => symbol,
            Some(symbols) => symbols.get(symbol as usize).copied().unwrap_or(NO_SYMBOL),
        }
    }
}

fn read_keys(array: &ArrayRef, column: &'static str, symbols: &mut Vec<u32>) -> Result<(), KernelError> {
    let keys = integers(array, column)?;
    let in_range = |key: i64| u32::try_from(key).ok().filter(|&key| key <= SYMBOLS_MAX);
    for (row, &key) in keys.values.iter().enumerate() {
        symbols.push(if keys.is_null(row) {
            NO_SYMBOL
        } else {
            in_range(key).ok_or(KernelError::SymbolKey { key })?
        });
    }
    Ok(())
}

fn as_index<T: arrow::datatypes::ArrowNativeType>(code: T) -> usize {
    code.as_usize()
}

fn not_text(array: &ArrayRef, column: &'static str) -> KernelError {
    KernelError::ColumnType { column, expected: "text or an integer key", found: array.data_type().clone() }
}

/// Whether two dictionaries are the same memory. Batches of a row group share their dictionary's buffers even where
/// each wraps them in an array of its own.
fn is_same_dictionary(one: &ArrayRef, other: &ArrayRef) -> bool {
    if one.len() != other.len() || one.data_type() != other.data_type() {
        return false;
    }
    match (one.as_string_opt::<i32>(), other.as_string_opt::<i32>()) {
        (Some(one), Some(other)) => {
            one.value_data().as_ptr() == other.value_data().as_ptr()
                && one.value_offsets().as_ptr() == other.value_offsets().as_ptr()
        }
        _ => Arc::ptr_eq(one, other),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int32Array, Int64Array, LargeStringArray, StringViewArray};

    use super::*;

    fn read(names: &mut Symbols, column: ArrayRef) -> Result<Vec<u32>, KernelError> {
        let mut symbols = Vec::new();
        names.read(&column, "activity", &mut symbols).map(|()| symbols)
    }

    #[test]
    fn every_form_of_text_gives_the_same_symbols() {
        let texts = [Some("copy"), None, Some("paste"), Some("copy")];
        let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
        let mut names = Symbols::new(SymbolKind::Text);
        for column in [
            Arc::new(StringArray::from_iter(texts)) as ArrayRef,
            Arc::new(LargeStringArray::from_iter(texts)),
            Arc::new(StringViewArray::from_iter(texts)),
            Arc::new(dictionary),
        ] {
            assert_eq!(read(&mut names, column), Ok(vec![0, NO_SYMBOL, 1, 0]));
        }
    }

    #[test]
    fn a_dictionary_with_other_content_is_read_anew() {
        let mut names = Symbols::new(SymbolKind::Text);
        let keys = Int32Array::from(vec![1, 0]);
        let of = |texts: [&str; 2]| {
            Arc::new(DictionaryArray::new(keys.clone(), Arc::new(StringArray::from(texts.to_vec())))) as ArrayRef
        };
        assert_eq!(read(&mut names, of(["a", "b"])), Ok(vec![1, 0]));
        assert_eq!(read(&mut names, of(["b", "a"])), Ok(vec![0, 1]));
    }

    #[test]
    fn an_absent_value_inside_a_dictionary_is_no_symbol() {
        let values: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a")]));
        let column = DictionaryArray::new(Int32Array::from(vec![Some(0), Some(1), None]), values);
        let mut names = Symbols::new(SymbolKind::Text);
        assert_eq!(read(&mut names, Arc::new(column)), Ok(vec![NO_SYMBOL, 0, NO_SYMBOL]));
    }

    #[test]
    fn integer_keys_are_their_own_symbols() {
        let mut names = Symbols::new(SymbolKind::Integer);
        assert_eq!(read(&mut names, Arc::new(Int64Array::from(vec![Some(7), None]))), Ok(vec![7, NO_SYMBOL]));
        assert_eq!(read(&mut names, Arc::new(Int64Array::from(vec![-1]))), Err(KernelError::SymbolKey { key: -1 }));
        assert_eq!(read(&mut names, Arc::new(StringArray::from(vec!["a"]))), Err(KernelError::Kinds));
    }
}
