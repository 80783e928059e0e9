// What is taken out of names and titles before they leave the page: mail addresses, account numbers, payment cards.

/** What stands in place of what was taken out, as in the client. */
const MASK = "****";

const MAIL = /[\p{L}\p{Nd}._%+-]+@[\p{L}\p{Nd}-]+(?:\.[\p{L}\p{Nd}-]+)+/gu;
const IBAN = /\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}\b/g;
const DIGITS = /\d(?:[ -]?\d){12,18}/g;

/** A text without what is never anybody's business. */
export function redacted(text: string): string {
  return text
    .replace(MAIL, MASK)
    .replace(IBAN, (found) => (isIban(found) ? MASK : found))
    .replace(DIGITS, (found) => (isCard(found) ? MASK : found));
}

/** Whether a value has a payment card's number in it; then it is treated like a password. */
export function hasCard(value: string): boolean {
  return (value.match(DIGITS) ?? []).some(isCard);
}

function isCard(text: string): boolean {
  const digits = [...text.replace(/[ -]/g, "")].reverse().map(Number);
  const sum = digits.reduce((sum, digit, place) => {
    const doubled = digit * 2;
    return sum + (place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0;
}

function isIban(text: string): boolean {
  const compact = text.replace(/ /g, "");
  const turned = compact.slice(4) + compact.slice(0, 4);
  let rest = 0;
  for (const character of turned) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
