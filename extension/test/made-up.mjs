// The pages in which the tests play, and the word that must be found nowhere afterwards.

export const CANARY = "CANARY-7f3a";

/** By path; `PORT` is where the site listens. */
export const PAGES = {
  "/": `<title>Orders</title>
    <h1>Orders</h1>
    <button id="save" aria-label="Save order"><span id="icon">✔</span></button>
    <label>Customer <input id="customer"></label>
    <select id="state" aria-label="State"><option>open</option><option>done</option></select>
    <label><input type="checkbox" id="urgent"> Urgent</label>
    <p id="prose">Some words to be selected and copied.</p>
    <textarea id="note" aria-label="Note"></textarea>
    <form id="search" aria-label="Search" onsubmit="return false"><input name="q" aria-label="Query"><button>Go</button></form>
    <table><thead><tr><th>Item<th>Price</tr></thead><tbody><tr><th scope="row">Screws<td id="price">12</td></tr></tbody></table>
    <a id="download" href="/report.csv" download>Report</a>
    <button id="spa" onclick="history.pushState({}, '', '/orders/4711'); document.title = 'Order 4711'">Open order</button>
    <button data-testid="generated" id="x-93847593">Generated</button>`,
  "/report.csv": (_request, response) =>
    response.writeHead(200, { "content-type": "text/csv", "content-disposition": "attachment; filename=r.csv" }).end("a,b\n"),
  "/frames": `<title>Frames</title>
    <iframe id="srcdoc" srcdoc="<button id=inner>In srcdoc</button>"></iframe>
    <iframe id="cross" src="http://other.allowed.test:PORT/inner"></iframe>
    <iframe id="foreign" src="http://foreign.test:PORT/inner"></iframe>`,
  "/inner": `<title>Inner</title><button id="inner">In frame</button><input id="secret-of-frame" aria-label="Field">`,
  "/shadow": `<title>Shadow</title><div id="open"></div><div id="closed"></div><script>
    for (const mode of ["open", "closed"]) {
      const root = document.getElementById(mode).attachShadow({ mode });
      root.innerHTML = '<form onsubmit="return false"><button id="b">In ' + mode + '</button><input aria-label="Field ' + mode + '"></form>';
    }</script>`,
  "/canary": `<title>Canary</title>
    <input type="password" id="f1" aria-label="Password">
    <input id="f2" autocomplete="cc-number" aria-label="Number">
    <input id="f3" autocomplete="one-time-code" aria-label="Code">
    <input id="f4" autocomplete="new-password" aria-label="New">
    <input id="f5" name="cvc" aria-label="CVC">
    <div contenteditable id="f6" aria-label="Letter"></div>
    <input id="f7" aria-label="Plain">
    <textarea id="f8" aria-label="Long"></textarea>
    <input id="f9" type="password" aria-label="Shown"><button id="show" onclick="document.getElementById('f9').type='text'">Show</button>
    <input id="f10"><div contenteditable id="f11">empty</div>
    <p id="p">${CANARY} in the prose of the page</p>
    <input type="hidden" value="${CANARY}"><!-- ${CANARY} -->
    <button id="end">End</button>`,
};
