/** A hundred texts that would run a script, or load something, on a page that put them into itself as they are. */

/** What a text that gets through does: the test looks for it. */
const RUN = "globalThis.ran=(globalThis.ran??0)+1";

const MARKUP: readonly string[] = [
  `<script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `<svg onload="${RUN}">`,
  `<svg><script>${RUN}</script></svg>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<a href="javascript:${RUN}">x</a>`,
  `javascript:${RUN}`,
  `JaVaScRiPt:${RUN}`,
  `java&#x09;script:${RUN}`,
  `data:text/html,<script>${RUN}</script>`,
  `<body onload="${RUN}">`,
  `<details open ontoggle="${RUN}">`,
  `<input autofocus onfocus="${RUN}">`,
  `<video><source onerror="${RUN}"></video>`,
  `<math><mi xlink:href="javascript:${RUN}">x</mi></math>`,
  `<style>@import "//evil.example/x.css"</style>`,
  `<link rel=stylesheet href="//evil.example/x.css">`,
  `<base href="//evil.example/">`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<object data="javascript:${RUN}"></object>`,
  `<template><img src=x onerror="${RUN}"></template>`,
  `{{constructor.constructor("${RUN}")()}}`,
  "${" + RUN + "}",
  `<form action="javascript:${RUN}"><button autofocus>x`,
  `<x onpointerover="${RUN}" style="position:fixed;inset:0">x`,
];

const QUOTES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `">${text}`,
  (text) => `'-->]]></textarea></title>${text}`,
  (text) => `\u202e${text}\u0000`,
];

/** All of them, no two alike. */
export const HOSTILE_TEXTS: readonly string[] = QUOTES.flatMap((quote) => MARKUP.map(quote));

/** The same as ids: without control characters and no longer than an id may be. */
export const HOSTILE_IDS: readonly string[] = HOSTILE_TEXTS.map((text, index) =>
  `${index} ${text.replaceAll("\u0000", "")}`.slice(0, 120),
);
