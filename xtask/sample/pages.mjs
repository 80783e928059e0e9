// The made-up order desk that the sample is recorded on: orders, quotes and a search. No person, company or number in it is anybody's.

const STYLE = `
  body { font: 16px/1.5 sans-serif; margin: 0; color: #1d2733; background: #f4f6f8; }
  header { background: #17506b; color: #fff; padding: 12px 28px; display: flex; gap: 28px; align-items: baseline; }
  header a { color: #d6ecf6; text-decoration: none; } header strong { font-size: 19px; }
  main { max-width: 760px; margin: 24px 28px; background: #fff; border: 1px solid #d5dde3; border-radius: 8px; padding: 20px 28px; }
  label { display: grid; grid-template-columns: 170px 320px; margin: 10px 0; align-items: center; }
  input, select, button { font: inherit; padding: 6px 10px; border: 1px solid #9fb0bd; border-radius: 5px; }
  button { background: #17506b; color: #fff; border: 0; padding: 8px 22px; margin-top: 12px; }
  table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 6px 10px; border-bottom: 1px solid #e1e7ec; }
  .error { color: #b3261e; } .done { color: #1c7038; font-weight: 600; }`;

const frame = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title} - Harbour Orders</title><style>${STYLE}</style>
<header><strong>Harbour Orders</strong><a href="/orders" id="nav-orders">Orders</a><a href="/orders/new" id="nav-new">New order</a><a href="/quotes/new" id="nav-quote">New quote</a></header>
<main><h1>${title}</h1>${body}</main></html>`;

const field = (id, text, kind = 'text') => `<label for="${id}">${text}<input id="${id}" name="${id}" type="${kind}" autocomplete="off"></label>`;

const ORDERS = [['10412', 'Brandt & Daughters', 'Oak shelf', 'shipped'], ['10413', 'Mill Street School', 'Chalk, white', 'packed'], ['10414', 'Café Sonnenhof', 'Paper cups', 'new']];

export const PAGES = {
  '/orders': frame('Orders', `<form action="/orders">${field('q', 'Search for a customer')}<button id="search">Search</button></form>
    <table><tr><th>Order</th><th>Customer</th><th>Article</th><th>State</th></tr>${ORDERS.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`),
  '/orders/new': frame('New order', `<form id="order">${field('customer', 'Customer')}${field('article', 'Article')}${field('quantity', 'Quantity')}
    <label for="delivery">Delivery<select id="delivery" name="delivery"><option>Standard</option><option>Express</option><option>Pick-up</option></select></label>
    <p class="error" id="error" role="alert"></p><button id="save">Save order</button></form>
    <script>document.getElementById('order').onsubmit = (event) => { event.preventDefault();
      const missing = ['customer', 'article', 'quantity'].find((name) => !document.getElementById(name).value);
      if (missing) document.getElementById('error').textContent = 'Please fill in: ' + missing; else location.href = '/orders/saved'; };</script>`),
  '/orders/saved': frame('Order saved', `<p class="done">The order was saved and goes to the warehouse.</p><p><a href="/orders/new" id="next">Enter the next order</a></p>`),
  '/quotes/new': frame('New quote', `<form action="/quotes/sent">${field('company', 'Company')}${field('net', 'Net price')}<button id="send">Send quote</button></form>`),
  '/quotes/sent': frame('Quote sent', '<p class="done">The quote is on its way.</p><p><a href="/quotes/new" id="next">Write the next quote</a></p>'),
};

const CUSTOMERS = ['Brandt & Daughters', 'Mill Street School', 'Café Sonnenhof', 'North Pier Bikes', 'Old Town Pharmacy', 'Lindgren Boats', 'Green Hill Nursery', 'Two Rivers Books', 'Station Bakery', 'Amber Workshop'];
const ARTICLES = ['Oak shelf', 'Chalk, white', 'Paper cups', 'Inner tube 28', 'Glass jar 0.5 l', 'Rope 10 m', 'Flower pot 20', 'Book stand', 'Baking paper', 'Wood glue'];

/** What came in by mail on one person's day: two lines an order. */
export const orders = (person, count) => Array.from({ length: count }, (_, n) => ({ customer: CUSTOMERS[(n * 3 + person) % 10], article: ARTICLES[(n * 7 + person * 2) % 10], quantity: String(2 + ((n * 5 + person) % 7)) }));

/** Companies that asked for a price, and the list price. */
export const quotes = (person, count) => Array.from({ length: count }, (_, n) => ({ company: CUSTOMERS[(n * 7 + person + 4) % 10], price: String(120 + 35 * ((n * 3 + person) % 9)) }));
