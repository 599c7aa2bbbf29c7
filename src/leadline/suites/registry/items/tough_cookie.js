/* Keep a cookie that a site has set. Input: the site's URL, a line feed, the value of its Set-Cookie header.
 *
 * The flaw is reached when the input changes what every object is made from: a property of Object, of
 * Function or of another shared constructor or prototype is added or replaced.
 */
"use strict";

const { CookieJar } = require("tough-cookie");
const { pollution } = require("./driver.js");

function keep(data) {
  const text = data.toString("utf8");
  const end = text.indexOf("\n");
  new CookieJar(undefined, { rejectPublicSuffixes: false }).setCookieSync(text.slice(end + 1), text.slice(0, end));
}

exports.oneInput = (data) => pollution(() => keep(data));
