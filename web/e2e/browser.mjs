// Starts the browser the tests walk through the pages with, and gives them what several of them need. It tests nothing.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

/** Where the pages are served; `useAddress` changes it for tests that start a stand-in themselves. */
export let address = (process.env.LODE_URL ?? 'http://127.0.0.1:4700').replace(/\/$/, '');
export const useAddress = (url) => { address = url; };

/** How long a person would wait for one thing to appear. */
const WAIT_MS_MAX = 10_000;

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export function startBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** A page that fails the test on any script error and on anything the content security policy stops. */
export async function openPage(browser, { theme = 'light', width = 1280, bypassCSP = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: theme, bypassCSP, acceptDownloads: true });
  context.setDefaultTimeout(WAIT_MS_MAX);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  page.faults = faults;
  return page;
}

/** Opens an address and waits until the page has its figures. */
export async function visit(page, place) {
  await page.goto(address + place);
  await settled(page);
}

export async function settled(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => !document.querySelector('.skeleton, .map-waiting, [aria-busy="true"]'));
}

/** Drops a file on the window, as a person does from a folder. */
export async function dropFile(page, name, text) {
  const transfer = await page.evaluateHandle(([fileName, content]) => {
    const data = new DataTransfer();
    data.items.add(new File([content], fileName, { type: 'text/csv' }));
    return data;
  }, [name, text]);
  for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('body', type, { dataTransfer: transfer });
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds on the page, one line per rule. The page must have been opened with `bypassCSP`, because axe is put in as a script. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), RULES);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

/**
 * A small log in the plain form: `cases` orders, each typed from a spreadsheet into a form, twenty minutes apart.
 * One row is broken on purpose.
 */
export function smallLog(cases = 12) {
  const rows = ['row,user,ts,app,event,doc,sheet,element,element_text,url,value,x,y'];
  const start = Date.UTC(2026, 0, 12, 8);
  const steps = [
    ['Excel', 'copyCell', 'orders.xlsx', 'Open', 'A', '', ''],
    ['Chrome', 'paste', '', '', 'name', 'Customer', 'https://crm.example/order'],
    ['Excel', 'copyCell', 'orders.xlsx', 'Open', 'B', '', ''],
    ['Chrome', 'paste', '', '', 'amount', 'Amount', 'https://crm.example/order'],
    ['Chrome', 'clickButton', '', '', 'save', 'Save', 'https://crm.example/order'],
  ];
  let row = 0;
  for (let one = 0; one < cases; one += 1) {
    // Every third order looks into the mail first, so that there is more than one variant.
    const order = one % 3 === 0 ? [['Outlook', 'clickLink', '', '', 'inbox', 'Inbox', ''], ...steps] : steps;
    order.forEach(([app, event, doc, sheet, element, text, url], step) => {
      const time = new Date(start + one * 1_200_000 + step * 4_000).toISOString();
      rows.push([row, `u${(one % 3) + 1}`, time, app, event, doc, sheet, element, text, url, `value ${one}`, '', ''].join(','));
      row += 1;
    });
  }
  rows.push(`${row},u1,yesterday,Excel,copyCell,,,,,,,,`);
  return { text: `${rows.join('\n')}\n`, good: row, broken: 1 };
}
