// For development only: just enough of the rule engine for the stand-in service to check, test and preview a configuration.
// It knows no privacy promise; the real engine is `uilog::policy`.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The vocabulary that the real parser generates. */
export const vocabulary = JSON.parse(readFileSync(new URL('../../schemas/config-vocabulary.json', import.meta.url), 'utf8'));

const columns = new Map(vocabulary.columns.map((one) => [one.name, one]));
const families = new Map(vocabulary.families.flatMap((family) => family.event_types.map((one) => [one.name, family.name])));
const groups = new Map(vocabulary.groups.map((one) => [one.name, one.columns]));

/** `xml` is the pages' own reader (src/xml/tree.ts). */
export function makePolicy(xml) {
  const { readXml, placeOf, elementsOf, firstElement, attributeOf, wordsOf } = xml;

  function* walk(element) {
    yield element;
    for (const child of elementsOf(element)) yield* walk(child);
  }

  const known = new Set(vocabulary.elements.map((one) => one.name));
  const words = (element, name) => wordsOf(element, name);

  function expand(list) {
    return new Set(list.flatMap((word) => {
      if (word === 'all') return vocabulary.columns.filter((one) => one.in_all).map((one) => one.name);
      if (groups.has(word)) return groups.get(word);
      return columns.has(word) ? [word] : [];
    }));
  }

  function problemsOf(text) {
    const { root, fault } = readXml(text);
    if (fault) return [{ severity: 'error', code: 'not_xml', ...placeOf(text, fault.at), message: fault.message, hint: null }];
    const problems = [];
    const say = (severity, code, at, message, hint = null) => problems.push({ severity, code, ...placeOf(text, at), message, hint });
    if (root.name !== 'lodeConfig') say('error', 'root', root.from, `the root element is <${root.name}>`, 'It must be <lodeConfig>.');
    const names = new Set();
    for (const element of walk(root)) {
      if (!known.has(element.name)) say('error', 'unknown_element', element.from, `unknown element <${element.name}>`, near(element.name, [...known]));
      const described = vocabulary.elements.find((one) => one.id === element.name && !one.columns_are_attributes);
      for (const attribute of element.attributes) {
        const allowed = described?.attributes.find((one) => one.name === attribute.name);
        if (described && !allowed) say('error', 'unknown_attribute', attribute.from, `unknown attribute "${attribute.name}" of <${element.name}>`, near(attribute.name, described.attributes.map((one) => one.name)));
        if (allowed?.type === 'word' && !allowed.words.includes(attribute.value)) say('error', 'value', attribute.valueFrom, `"${attribute.value}" is no value of ${attribute.name}`, `One of ${allowed.words.join(', ')}.`);
        if (allowed?.type === 'bool' && !['true', 'false'].includes(attribute.value)) say('error', 'value', attribute.valueFrom, `"${attribute.value}" is neither true nor false`);
        if (allowed?.type === 'duration' && !/^(0|P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/.test(attribute.value)) say('error', 'duration', attribute.valueFrom, `"${attribute.value}" is no duration`, 'Such as PT5M or P1D.');
        if (allowed?.type === 'columns' || allowed?.type === 'column') checkColumns(attribute, say);
        if (allowed?.type === 'regex') checkRegex(attribute, say);
      }
      for (const attribute of described?.attributes ?? []) {
        if (attribute.required && attributeOf(element, attribute.name) === null) say('error', 'missing', element.from, `<${element.name}> has no ${attribute.name}`);
      }
      if (element.name === 'rule') {
        const name = attributeOf(element, 'name');
        if (names.has(name)) say('error', 'duplicate', element.from, `there are two rules named "${name}"`, 'Give each rule its own name.');
        names.add(name);
        const log = firstElement(element, 'log');
        if (log && words(log, 'columns').includes('text') && !firstElement(element, 'when')) say('warning', 'text_everywhere', log.from, `rule "${name}" keeps typed text everywhere`, 'Name the element or the page it is about.');
      }
    }
    return problems;
  }

  function checkColumns(attribute, say) {
    for (const word of attribute.value.split(/\s+/).filter(Boolean)) {
      if (word === 'all' || word === 'none' || columns.has(word) || groups.has(word)) continue;
      say('error', 'unknown_column', attribute.valueFrom + attribute.value.indexOf(word), `unknown column "${word}"`, near(word, [...columns.keys()]));
    }
  }

  function checkRegex(attribute, say) {
    try {
      toRegex(attribute.value);
    } catch (cause) {
      say('error', 'regex', attribute.valueFrom, `no regular expression: ${cause.message}`);
    }
  }

  /** What becomes of one event: refused by the gate, dropped, or logged by a rule. */
  function decide(root, event) {
    const app = elementsOf(firstElement(root, 'allow'), 'app').find((one) => words(one, 'process').includes(event.process_name));
    if (!app) return { outcome: 'refused', rule: null, gate: 'application' };
    const sites = elementsOf(app, 'site');
    const url = event.url ? new URL(event.url) : null;
    if (sites.length > 0 && !(url && sites.some((site) => hostMatches(attributeOf(site, 'host') ?? '', url.hostname)))) return { outcome: 'refused', rule: null, gate: 'site' };
    const never = elementsOf(firstElement(root, 'allow'), 'never').some((one) => {
      const value = event[attributeOf(one, 'column')] ?? '';
      return value && (attributeOf(one, 'regex') ? toRegex(attributeOf(one, 'regex')).test(value) : toGlob(attributeOf(one, 'glob') ?? '').test(value));
    });
    if (never) return { outcome: 'refused', rule: null, gate: 'never' };
    const rule = elementsOf(firstElement(root, 'rules'), 'rule').find((one) => concerns(firstElement(one, 'on'), event.event_type) && holds(elementsOf(firstElement(one, 'when'))[0], event));
    const log = rule ? firstElement(rule, 'log') : firstElement(firstElement(firstElement(root, 'rules'), 'otherwise'), 'log');
    return { outcome: log ? 'log' : 'drop', rule: rule ? attributeOf(rule, 'name') : 'otherwise', screenshot: log ? (attributeOf(log, 'screenshot') ?? 'none') : null, log, line: rule };
  }

  function concerns(on, type) {
    const hit = (name) => (attributeOf(on, name) ?? (name === 'events' ? 'all' : '')).split(/\s+/).some((word) => word === 'all' || word === type || families.get(type) === word);
    return hit('events') && !hit('except');
  }

  function holds(condition, event) {
    if (!condition) return true;
    const inner = elementsOf(condition);
    if (condition.name === 'all') return inner.every((one) => holds(one, event));
    if (condition.name === 'any') return inner.some((one) => holds(one, event));
    if (condition.name === 'not') return !holds(inner[0], event);
    const value = event[attributeOf(condition, 'column')];
    if (condition.name === 'present') return value !== undefined;
    if (value === undefined) return false;
    const wanted = attributeOf(condition, 'values')?.split('|') ?? [attributeOf(condition, 'value') ?? ''];
    const fold = (one) => (attributeOf(condition, 'case') === 'exact' ? one : one.toLowerCase());
    const test = {
      equals: (one) => fold(value) === fold(one), contains: (one) => fold(value).includes(fold(one)), startsWith: (one) => fold(value).startsWith(fold(one)),
      glob: (one) => toGlob(fold(one)).test(fold(value)), regex: (one) => toRegex(one).test(value),
    };
    return wanted.some(test[condition.name] ?? (() => false));
  }

  /** Each column of the event before and after the rule and the redaction. */
  function work(root, event) {
    const decision = decide(root, event);
    const shown = Object.entries(event).filter(([name]) => columns.has(name));
    if (decision.outcome !== 'log') return { decision, columns: shown.map(([column, before]) => ({ column, before, after: null, what: 'dropped' })) };
    const log = decision.log;
    const replaced = new Map(elementsOf(log, 'replace').flatMap((one) => [...expand(words(one, 'columns'))].map((column) => [column, attributeOf(one, 'with') ?? '(removed)'])));
    const named = words(log, 'columns');
    const hashed = expand(words(log, 'hash'));
    const omitted = expand(words(log, 'omit'));
    const kept = new Set([...expand(named), ...hashed, ...replaced.keys()].filter((one) => !omitted.has(one)));
    return {
      decision,
      columns: shown.map(([column, before]) => {
        if (!kept.has(column)) return { column, before, after: null, what: 'dropped' };
        if (replaced.has(column)) return { column, before, after: replaced.get(column), what: 'replaced' };
        const after = redact(root, column, before);
        const hash = hashed.has(column) || (['user_name', 'machine_name'].includes(column) && !named.includes(column));
        if (hash) return { column, before, after: `#${createHash('sha256').update(column + after).digest('hex').slice(0, 12)}`, what: 'hashed' };
        return { column, before, after, what: after === before ? 'sent' : 'redacted' };
      }),
    };
  }

  function redact(root, column, value) {
    if (!columns.get(column)?.personal) return value;
    let now = value.replace(/[\w.+-]+@[\w-]+\.[\w.]+/g, '****');
    for (const pattern of elementsOf(firstElement(root, 'redaction'), 'pattern')) {
      const where = words(pattern, 'columns');
      if (where.length > 0 && !expand(where).has(column)) continue;
      const regex = toRegex((attributeOf(pattern, 'regex') ?? '').replace(/\{\w+\}/g, '(?!)'), 'g');
      now = attributeOf(pattern, 'mode') === 'keepMatch' ? (now.match(regex) ?? []).join(' ') : now.replace(regex, '****');
    }
    return now;
  }

  function runTests(text, root) {
    return elementsOf(firstElement(root, 'tests'), 'test').map((test) => {
      const event = Object.fromEntries((firstElement(test, 'event')?.attributes ?? []).map((one) => [one.name, one.value]));
      const done = work(root, event);
      const messages = [];
      const expected = attributeOf(test, 'expect');
      if (done.decision.outcome !== expected) messages.push(`expected ${expected}, got ${done.decision.outcome}${done.decision.rule ? ` by "${done.decision.rule}"` : ''}`);
      const rule = attributeOf(test, 'rule');
      if (rule && done.decision.rule !== rule) messages.push(`expected the rule "${rule}", got "${done.decision.rule ?? 'none'}"`);
      for (const { name, value } of firstElement(test, 'result')?.attributes ?? []) {
        const got = done.columns.find((one) => one.column === name);
        const after = got?.what === 'hashed' ? '#hash' : got?.after ?? '#null';
        if (got && after !== value) messages.push(`${name}: expected ${value}, got ${after}`);
      }
      return { name: attributeOf(test, 'name') ?? '', line: placeOf(text, test.from).line, passed: messages.length === 0, messages };
    });
  }

  /** What a revision captures, as a set of sentences; the difference of two sets is the list of changes. */
  function reach(text) {
    const { root } = readXml(text);
    if (!root) return new Map();
    const said = new Map();
    for (const app of elementsOf(firstElement(root, 'allow'), 'app')) {
      for (const process of words(app, 'process')) said.set(`application:${process}`, process);
      for (const site of elementsOf(app, 'site')) said.set(`site:${attributeOf(site, 'host')}`, attributeOf(site, 'host'));
    }
    for (const rule of elementsOf(firstElement(root, 'rules'), 'rule')) {
      const log = firstElement(rule, 'log');
      const name = attributeOf(rule, 'name');
      said.set(`rule:${name}`, name);
      if (!log) continue;
      for (const column of words(log, 'columns').filter((one) => ['text', 'url', 'value_fingerprint'].includes(one))) said.set(`column:${name}:${column}`, `${column} in rule "${name}"`);
      if (!['none', null].includes(attributeOf(log, 'screenshot'))) said.set(`pictures:${name}`, `pictures in rule "${name}"`);
    }
    said.consent = Number(attributeOf(firstElement(root, 'consent'), 'version') ?? 0);
    return said;
  }

  function changesBetween(old, now) {
    const [before, after] = [reach(old), reach(now)];
    const kinds = { application: 'application', site: 'site', rule: 'rule', column: 'kept', pictures: 'pictures' };
    const of = (key) => kinds[key.split(':')[0]];
    const widens = (key) => !key.startsWith('rule:');
    return {
      changes: [
        ...[...after].filter(([key]) => !before.has(key)).map(([key, value]) => ({ code: `${key.split(':')[0]}_added`, text: `${of(key)} added: ${value}`, widens: widens(key) })),
        ...[...before].filter(([key]) => !after.has(key)).map(([key, value]) => ({ code: `${key.split(':')[0]}_removed`, text: `${of(key)} removed: ${value}`, widens: false })),
      ],
      consent_rose: (after.consent ?? 0) > (before.consent ?? 0),
    };
  }

  function check(text, published, fleet) {
    const problems = problemsOf(text);
    const { root } = readXml(text);
    const faulty = problems.some((one) => one.severity === 'error');
    const tests = root && !faulty ? runTests(text, root) : [];
    const { changes, consent_rose } = published && root ? changesBetween(published, text) : { changes: [], consent_rose: true };
    const consent_must_rise = changes.some((one) => one.widens) && !consent_rose;
    if (consent_must_rise) {
      const consent = firstElement(root, 'consent');
      problems.push({ severity: 'error', code: 'consent_must_rise', ...placeOf(text, consent?.from ?? 0), message: 'more is captured than before, but the consent version is the same', hint: 'Raise the version, so that everybody is asked again.' });
    }
    for (const test of tests.filter((one) => !one.passed)) problems.push({ severity: 'error', code: 'test_failed', line: test.line, column: 1, message: `test "${test.name}": ${test.messages[0]}`, hint: null });
    return { valid: !problems.some((one) => one.severity === 'error'), problems, tests, changes, affected: changes.length > 0 ? fleet : { people: 0, clients: 0 }, consent_must_rise };
  }

  function preview(text, events) {
    const { root } = readXml(text);
    const done = events.map((event) => ({ event, ...work(root, event) }));
    const names = [...elementsOf(firstElement(root, 'rules'), 'rule').map((one) => attributeOf(one, 'name')), 'otherwise'];
    const count = (rows, what) => new Set(rows.flatMap((row) => row.columns.filter((one) => one.what === what).map((one) => one.column))).size;
    const gates = ['application', 'site', 'never'].map((gate) => {
      const rows = done.filter((one) => one.decision.gate === gate);
      return { rule: gate, kind: 'gate', line: null, admitted: 0, columns: 0, hashed: 0, replaced: 0, dropped: rows.length, screenshots: 0, bytes_per_day_user: null };
    });
    const rules = names.map((rule) => {
      const rows = done.filter((one) => one.decision.rule === rule);
      const logged = rows.filter((one) => one.decision.outcome === 'log');
      const element = elementsOf(firstElement(root, 'rules'), 'rule').find((one) => attributeOf(one, 'name') === rule);
      return {
        rule, kind: rule === 'otherwise' ? 'otherwise' : 'rule', line: element ? placeOf(text, element.from).line : null, admitted: logged.length,
        columns: count(logged, 'sent') + count(logged, 'hashed') + count(logged, 'replaced'), hashed: count(logged, 'hashed'), replaced: count(logged, 'replaced'), dropped: rows.length - logged.length,
        screenshots: logged.filter((one) => one.decision.screenshot !== 'none').length, bytes_per_day_user: logged.length * 180,
      };
    });
    const fates = ['sent', 'hashed', 'replaced', 'redacted', 'dropped'];
    return {
      events: events.length, users: 8, days: 5, rules: [...gates, ...rules], never_matched: names.filter((name) => name !== 'otherwise' && !done.some((one) => one.decision.rule === name)),
      columns: [...columns.keys()].map((column) => ({ column, ...Object.fromEntries(fates.map((fate) => [fate, done.filter((one) => one.columns.some((cell) => cell.column === column && cell.what === fate)).length])) })).filter((one) => fates.some((fate) => one[fate] > 0)),
      events_shown: done.slice(0, 50).map((one, index) => ({ seq: index + 1, event_type: one.event.event_type, decision: { outcome: one.decision.outcome, rule: one.decision.rule ?? one.decision.gate, screenshot: one.decision.screenshot ?? null }, columns: one.columns })),
    };
  }

  return { check, preview, changesBetween, explain: (text, event) => ({ seq: 1, event_type: event.event_type, ...work(readXml(text).root, event) }), reach };
}

const hostMatches = (pattern, host) => (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) || host === pattern.slice(2) : pattern === host);
const toGlob = (glob) => new RegExp(`^${glob.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replace(/\*+/g, '.*')}$`, 'i');
const toRegex = (source, flags = '') => (source.startsWith('(?i)') ? new RegExp(source.slice(4), `${flags}i`) : new RegExp(source, flags));

/** "did you mean", for names that differ little. */
function near(word, names) {
  const best = names.map((name) => [name, distance(word.toLowerCase(), name.toLowerCase())]).sort((a, b) => a[1] - b[1])[0];
  return best && best[1] <= 3 ? `Did you mean "${best[0]}"?` : null;
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
