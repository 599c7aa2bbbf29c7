/* Read a user's settings in JSON5. Input: their text.
 *
 * No user may give himself the property `staff`: settings that hold it are refused. The flaw is reached
 * when settings that do not hold it answer to it all the same.
 */
"use strict";

const JSON5 = require("json5");

exports.oneInput = (data) => {
  const settings = JSON5.parse(data.toString("utf8"));
  if (settings === null || typeof settings !== "object" || Object.keys(settings).includes("staff")) return false;
  return settings.staff === true;
};
