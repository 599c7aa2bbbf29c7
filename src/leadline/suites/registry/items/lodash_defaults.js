/* Fill up settings sent as JSON. Input: the settings, a JSON text.
 *
 * The flaw is reached when the input changes what every object is made from: a property of Object, of
 * Function or of another shared constructor or prototype is added or replaced.
 */
"use strict";

const library = require("lodash");
const { pollution } = require("./driver.js");

exports.oneInput = (data) => pollution(() => library.defaultsDeep({}, JSON.parse(data.toString("utf8"))));
