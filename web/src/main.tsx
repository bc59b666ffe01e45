/** The dashboard begins here. */

import { render } from "preact";

import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import { App } from "./app.tsx";
import { startClock } from "./now.ts";
import { startRouter } from "./router.ts";
import { startSession } from "./session.ts";
import { startSettings } from "./settings.ts";

startSettings();
startClock();
const root = document.querySelector("#app");
await startSession();
startRouter();
if (root !== null) render(<App />, root);
