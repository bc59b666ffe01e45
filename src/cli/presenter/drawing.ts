/** Shows an upgrade as a tree that is drawn in place. */

import type { Cli } from "../context.ts";
import { hasKeys } from "../terminal.ts";
import { display } from "./display.ts";
import type { Presenter, PresenterOptions } from "./presenting.ts";
import { UpgradeScene } from "./upgrade-scene.ts";

export function drawing(cli: Cli, { common, leave, now, hint, banner }: PresenterOptions): Presenter {
  const scene = new UpgradeScene({ now, hint, banner, hasKeys: hasKeys(cli) });
  let isShown = false;
  const drawn = display(cli, { common, leave, scene: () => (isShown ? scene : undefined) });
  return {
    show({ state, connection }) {
      isShown ||= state !== undefined || connection !== undefined;
      scene.show(state, connection);
      drawn.changed();
    },
    setWriter(has) {
      if (has === scene.hasWriter) return;
      scene.hasWriter = has;
      drawn.changed();
    },
    end() {
      scene.end();
      drawn.draw();
    },
    close: () => drawn.close(),
  };
}
