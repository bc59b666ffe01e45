/** A mail as HTML that mail programs show alike: one table, styles inline, nothing fetched from anywhere. */

import type { InsightLevel } from "../../model/vocabulary.ts";
import type { Letter, Line } from "./letter.ts";

/** Band, and text on white: each has a contrast of at least 4.5 to 1. The word is there beside the colour. */
const COLOURS: Readonly<Record<InsightLevel, string>> = { info: "#1d5fa8", warning: "#8a5200", error: "#b3261e" };
const WORDS: Readonly<Record<InsightLevel, string>> = { info: "Info", warning: "Warning", error: "Error" };
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const WRAP = "word-break:break-word;overflow-wrap:anywhere";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand between tags and in attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] as string);
}

export function mailHtml(letter: Letter): string {
  const { title, level, lines, facts, link, footer } = letter;
  const rows = facts.map(
    ({ label, text }) =>
      `<tr><td style="padding:4px 16px 4px 0;color:#5a6472;vertical-align:top;white-space:nowrap">${escapeHtml(label)}</td>` +
      `<td style="padding:4px 0;color:#1c2430;${WRAP}">${escapeHtml(text)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:0;background:#eef1f5">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef1f5"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;border:1px solid #d8dee6;border-radius:6px;${FONT};font-size:15px;line-height:1.45;text-align:left">
<tr><td style="height:6px;background:${COLOURS[level]};border-radius:5px 5px 0 0;font-size:0;line-height:0">&nbsp;</td></tr>
<tr><td style="padding:20px 24px 4px">
<div style="color:${COLOURS[level]};font-size:13px;font-weight:600">${WORDS[level]}</div>
<h1 style="margin:4px 0 12px;font-size:20px;line-height:1.3;color:#1c2430;${WRAP}">${escapeHtml(title)}</h1>
${lines.length === 0 ? "" : eventList(lines)}<table role="presentation" cellpadding="0" cellspacing="0" style="font-size:15px;line-height:1.45">
${rows.join("\n")}
</table>
</td></tr>
<tr><td style="padding:12px 24px 24px">${link === undefined ? "" : button(link)}</td></tr>
<tr><td style="padding:12px 24px 16px;border-top:1px solid #e6eaf0;color:#5a6472;font-size:13px;${WRAP}">${escapeHtml(footer)}</td></tr>
</table>
</td></tr></table>
</body></html>
`;
}

function eventList(lines: readonly Line[]): string {
  const rows = lines.map(
    ({ time, text, level }) =>
      `<tr><td style="padding:6px 12px;border-left:3px solid ${COLOURS[level]};color:#1c2430;${WRAP}">` +
      `<span style="color:#5a6472;font-size:13px">${escapeHtml(time)} · ${WORDS[level]}</span><br>${escapeHtml(text)}</td></tr>` +
      `<tr><td style="height:6px;font-size:0;line-height:0">&nbsp;</td></tr>`,
  );
  return `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 12px;font-size:15px;line-height:1.45">
${rows.join("\n")}
</table>
`;
}

function button(link: string): string {
  const style = "display:inline-block;padding:9px 18px;background:#1c2430;border-radius:5px;color:#ffffff";
  return `<a href="${escapeHtml(link)}" style="${style};text-decoration:none;font-weight:600">Open the upgrade</a>`;
}
