// What the wizard is told, and what it begins with.
import type { Preset, Retention } from '../../client';

export interface Wish {
  name: string;
  /** One per line. */
  purposes: string;
  preset: Preset;
  min_group_size: number;
  retention: Retention;
  apps: string[];
  sites: string[];
}

/** The usual lengths; longer ones need a reason. */
export const USUAL: Retention = { raw_days: 30, picture_days: 14, aggregate_months: 12, reason: null };
export const GROUP_SIZE: Record<Preset, number> = { standard: 5, works_council: 10 };
export const STANDARD: Wish = { name: '', purposes: '', preset: 'standard', min_group_size: GROUP_SIZE.standard, retention: USUAL, apps: [], sites: [] };

export const BROWSERS = ['chrome.exe', 'msedge.exe', 'firefox.exe', 'chrome', 'chromium', 'msedge', 'firefox'];
export const COMMON_APPS = ['excel.exe', 'winword.exe', 'outlook.exe', 'saplogon.exe', 'msedge.exe', 'chrome.exe', 'acrobat.exe', 'soffice.bin', 'firefox'];

export const isBrowser = (app: string): boolean => BROWSERS.includes(app);
/** What to ask a template for: with sites it allows browsers on these alone, and a browser that is named beside them would be allowed everywhere. */
export const withoutBrowsers = (apps: string[], sites: string[]): string[] => (sites.length > 0 ? apps.filter((app) => !isBrowser(app)) : apps);
export const isLong = (retention: Retention): boolean =>
  retention.raw_days > USUAL.raw_days || retention.picture_days > USUAL.picture_days || retention.aggregate_months > USUAL.aggregate_months;

/** "https://Orders.example.org/x" is the site orders.example.org; what is no host becomes nothing. */
export function cleanSite(typed: string): string {
  const host = typed.trim().toLowerCase().replace(/^[a-z]+:\/\//, '').replace(/[/:?#].*$/, '');
  return /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(host) ? host : '';
}
