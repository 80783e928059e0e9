// The popup: says in one sentence whether the page in front is recorded, and why, and says another as soon as that changes.

import type { Standing } from "./messages";
import { POPUP } from "./messages";

/** How long it waits before it calls a worker again that the browser has ended. */
const RETRY_MS = 50;

document.documentElement.lang = chrome.i18n.getUILanguage();
const said = document.createElement("p");
said.setAttribute("role", "status");
document.getElementById("main")?.append(said);

function follow(): void {
  const worker = chrome.runtime.connect({ name: POPUP });
  worker.onMessage.addListener(({ sentence }: Standing) => {
    const text = chrome.i18n.getMessage(sentence) || chrome.i18n.getMessage("why_other");
    if (said.textContent !== text) said.textContent = text;
  });
  worker.onDisconnect.addListener(() => setTimeout(follow, RETRY_MS));
}
follow();
