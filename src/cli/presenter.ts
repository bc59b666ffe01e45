/** Shows an upgrade while it goes on: drawn in place on a terminal, else line by line. */

import type { Cli } from "./context.ts";
import { drawing } from "./presenter/drawing.ts";
import type { Presenter, PresenterOptions } from "./presenter/presenting.ts";
import { printing } from "./presenter/printing.ts";
import { canDraw } from "./terminal.ts";

export function presenter(cli: Cli, options: PresenterOptions): Presenter {
  return canDraw(cli) && options.isPlain !== true ? drawing(cli, options) : printing(cli, options);
}
