// For development only: the vocabulary of the configuration as the stand-in service tells it, from one line per attribute.
// The real one is generated from the parser; this one is as large as the pages need.

const ELEMENTS = `
lodeConfig | | the whole configuration
client | lodeConfig | how the client starts and keeps its own log
  startup enum login login,manual | starts at log-in, or when the user starts it
  comments bool true | the user may add comments
  update enum off off,notify | whether it tells about newer versions
  log enum info error,warn,info,debug | how much its own log says, never content
  logKeep duration P7D P1D–P30D | how long its own log is kept
consent | lodeConfig | what every user agrees to before anything is recorded
  version int! | must rise when a revision captures more; everybody is then asked again
text | consent | what is recorded, in plain words
  lang lang! | language of the text
pictures | consent | what pictures show
  lang lang! | language of the text
typed | consent | which typed text is kept
  lang lang! | language of the text
attribute | userAttributes | a question every user answers once
  column enum! custom1,custom2,custom3,custom4,custom5 | the column that holds the answer
  required bool false | whether it must be answered
  choices choices | possible answers; free text without them
schedule | lodeConfig | when recording is allowed
  zone text user | the user's own time zone, or an IANA name
window | schedule | one span of time in the week
  days days mon-fri | days of the week
  from clock 08:00 | begin
  to clock 18:00 | end, later than the begin
pause | lodeConfig | pausing cannot be forbidden and needs no reason
  choices durations PT15M·PT1H PT5M–PT8H, at most 4 | offered lengths
  untilResume bool true | also offers a pause without end
  hotkey text ctrl+alt+shift+p | key combination; empty for none
  remind duration PT1H PT10M–PT8H | how often a running pause is mentioned
app | allow | an application that may be recorded
  process names | executables, lower case
  appId names | X11 class or Wayland app id
  path glob | full path of the executable
site | app | a site inside a browser
  host host! | exact or *.suffix
  path glob /** | which pages of the site
never | allow | what is never recorded, whatever is allowed
  column enum! window_title,page_title,url,url_host | where to look
  glob glob | pattern with * and **
  regex regex | regular expression
capture | lodeConfig | how events are made from what is done
  snippetSplit duration PT5M PT30S–PT1H | a longer pause begins a new snippet
  idleAfter duration PT3M PT1M–PT30M | without input for so long the user counts as idle
  alive duration PT5M PT1M–PT1H or 0 | how often a sign of life is recorded
  input enum auto auto,raw,hook | how input is read on Windows
  injected bool true | keeps input made by programs, marked as such
  elements bool true | asks which control was used
  elementTimeout duration PT0.25S PT0.05S–PT1S | how long to wait for that answer
  elementsNever names | executables never asked
  hoverLookup bool false | asks after a rest of 150 ms already
  nativeUrl bool false | reads the address without the extension
  clipboard bool true | records that something was copied, cut or pasted
  nameMax int 120 20–512 | longer names are omitted
screenshots | lodeConfig | the global switch for pictures; rules say where
  enabled bool false | whether pictures are taken at all
  minGap duration PT1S PT0.2S–PT1H | least time between two pictures
  settle duration PT0.25S 0–PT2S | wait after the event
  maxPerHour int 120 1–3600 | most pictures in an hour
  maxSide int 1920 320–7680 | larger pictures are scaled down, in px
  maskText enum window window,page | where text hits are painted over
extension | lodeConfig | the browser extension
  enabled bool true | whether it is used
  required bool true | a browser without it is not recorded
  valueLength enum bucket off,exact,bucket | how exactly the length of values is kept
  rowLabels bool true | headers of tables as labels
  testIds names data-testid | attributes read as element id
rule | rules | the first rule that matches decides
  name text! | unique, at most 80 characters
  description text | why the rule is there
on | rule | which events the rule is about
  events events all | event types, families or all
  except events | taken away again
log | rule,otherwise | what is kept of the event
  columns columns! | columns and groups
  omit columns | columns not kept
  hash columns | columns kept as a keyed hash
  screenshot enum none none,window,desktop | whether a picture is taken
replace | log | columns whose content is replaced
  columns columns! | which columns
  with text (removed) | what stands there instead
builtin | redaction | patterns that come with the client
  patterns enum-list email·iban·card email,iban,card,us_ssn,user_name,machine_name | which of them
  columns columns | where they look; all personal texts without it
pattern | redaction | a pattern of your own
  name text! | what it is called
  regex regex! | what it finds
  mode enum mask mask,keepMatch | hide what it finds, or keep nothing else
  columns columns | where it looks
  description text | why it is there
  lang lang | language of the description
storage | lodeConfig | how much a client keeps on its disk
  events size 512MiB 16MiB–4GiB | space for events
  screenshots size 1GiB 0–16GiB | space for pictures
  keepFree size 1GiB 100MiB–100GiB | space left free
  keepFreePercent int 5 1–50 | share left free; the stricter counts
  keepSent duration P1D 0–P30D | sent events stay for the user's own page
upload | lodeConfig | when events leave the desktop
  enabled bool true | without it events stay on the desktop
  every duration PT1M PT5S–PT24H | how often
  hold duration PT10M 0–PT24H | younger events wait, so that the user can delete them
  batchEvents int 500 1–2000 | events per batch
  maxRate int 0 | KiB/s; 0 is no limit
  heartbeat duration PT1M PT30S–PT15M | how often the client reports
test | tests | an example and what must become of it
  name text! | what the example shows
  expect enum! log,drop,refused | what must happen
  rule text | which rule must decide
  screenshot enum none,window,desktop | which picture must be taken
`;

const COLUMNS = `
user_name personal @person named-hash | operating-system user
machine_name personal @person | name of the machine
custom1 personal @person | first user attribute
custom2 personal @person | second user attribute
custom3 personal @person | third user attribute
custom4 personal @person | fourth user attribute
custom5 personal @person | fifth user attribute
process_name plain @app | executable
application plain @app | product name
os plain @app | operating system
window_title personal @window | title of the window
url personal named | full web address
url_host plain @web | host of the address
url_template plain @web | address without ids and query
page_title personal @web | title of the page
tab_id plain @web | browser tab
frame_id plain @web | frame in the page
document_id plain @web | document in the frame
element_role plain @element | role of the control
element_name personal @element | label of the control
element_id plain @element | id of the control
element_class plain @element | class of the control
element_path plain @element | way from the window to the control
element_box plain @element | place of the control
row_label personal @element | label of a table row
column_label personal @element | label of a table column
text personal named | typed or copied text
value_fingerprint plain named | keyed fingerprint of a value
text_length plain @keys | how many characters
key_command plain @keys | shortcuts and function keys
mouse_x plain @pointer | place of the pointer
mouse_y plain @pointer | place of the pointer
wheel_units plain @pointer | turns of the wheel
monitor plain @pointer | number of the monitor
dpi plain @pointer | resolution of the monitor
comment personal | comment of the user
`;

const NUMBERS = ['element_box', 'text_length', 'mouse_x', 'mouse_y', 'wheel_units', 'monitor', 'dpi', 'value_fingerprint'];

const FAMILIES = {
  window: 'window_activated window_title_changed',
  pointer: 'left_click double_click right_click middle_click scroll drag_drop',
  keyboard: 'key_command text_entered',
  clipboard: 'copy cut paste',
  focus: 'element_focused',
  browser: 'page_loaded tab_activated tab_closed element_clicked element_changed form_submitted text_selected download_started print_requested',
  user: 'user_comment',
};

function readElements() {
  const elements = [];
  for (const line of ELEMENTS.trim().split('\n')) {
    const parts = line.split('|').map((one) => one.trim());
    if (!line.startsWith('  ')) {
      elements.push({ name: parts[0], parents: parts[1].split(',').filter(Boolean), meaning: parts[2], attributes: [] });
      continue;
    }
    const [name, type, fallback, ...range] = parts[0].split(' ');
    const required = type.endsWith('!');
    const bare = type.replace('!', '');
    const isEnum = bare.startsWith('enum');
    const first = isEnum && (required || range.length === 0) ? null : (fallback ?? null);
    const values = isEnum ? (range[0] ?? fallback).split(',') : null;
    elements.at(-1).attributes.push({
      name, type: bare, required, default: required ? null : first?.replaceAll('·', ' ') ?? null, values,
      range: isEnum || range.length === 0 ? null : range.join(' '), meaning: parts[1],
    });
  }
  return elements;
}

export const vocabulary = {
  elements: readElements(),
  columns: COLUMNS.trim().split('\n').map((line) => {
    const [marks, meaning] = line.split('|').map((one) => one.trim());
    const [name, personal, ...rest] = marks.split(' ');
    return { name, text: !NUMBERS.includes(name), personal: personal === 'personal', mandatory: false, groups: rest.filter((one) => one.startsWith('@')), named_only: rest.includes('named'), meaning };
  }),
  event_types: Object.entries(FAMILIES).flatMap(([family, names]) => names.split(' ').map((name) => ({ name, family }))),
};
