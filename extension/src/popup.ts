// The popup: says in one sentence whether the page in front is recorded, and why.

import type { Standing } from "./messages";

const standing: Standing = await chrome.runtime.sendMessage({ ask: "standing" });
document.documentElement.lang = chrome.i18n.getUILanguage();
const said = document.createElement("p");
said.textContent = chrome.i18n.getMessage(standing.sentence) || chrome.i18n.getMessage("why_other");
said.setAttribute("role", "status");
document.getElementById("main")?.append(said);

export {};
