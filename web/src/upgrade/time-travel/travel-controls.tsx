/** The buttons of time travel: play, how fast, and step by step. */

import type { ComponentChild } from "preact";

import { PLAY_SPEEDS, type PlaySpeed } from "../../../../src/view/log/playing.ts";
import { Icon, type IconName } from "../../parts/icon.tsx";
import type { UpgradeStore } from "../../upgrade-store.ts";
import type { TravelModel } from "./travel-model.ts";

export interface TravelControlsProps {
  readonly model: TravelModel;
  readonly store: UpgradeStore;
}

export function TravelControls({ model, store }: TravelControlsProps): ComponentChild {
  const isPlaying = model.isPlaying.value;
  const isLive = store.place.value === undefined;
  return (
    <div class="travel-controls" role="group" aria-label="Play">
      <Step name="Previous mark: failure, phase or finding" shape="mark-back" onClick={() => model.toMark(true)} />
      <Step name="One event back" shape="back" onClick={() => model.step(-1)} />
      <Step name={isPlaying ? "Pause" : "Play"} shape={isPlaying ? "pause" : "play"} onClick={() => model.toggle()} />
      <Step name="One event on" shape="on" isDisabled={isLive} onClick={() => model.step(1)} />
      <Step
        name="Next mark: failure, phase or finding"
        shape="mark-on"
        isDisabled={isLive}
        onClick={() => model.toMark(false)}
      />
      <select
        class="field"
        aria-label="Speed"
        value={String(model.speed.value)}
        onChange={({ currentTarget }) => (model.chosenSpeed.value = Number(currentTarget.value) as PlaySpeed)}
      >
        {PLAY_SPEEDS.map((speed) => (
          <option key={speed} value={String(speed)}>
            {speed}×
          </option>
        ))}
      </select>
    </div>
  );
}

interface StepProps {
  readonly name: string;
  readonly shape: IconName;
  readonly isDisabled?: boolean;
  readonly onClick: () => void;
}

function Step({ name, shape, isDisabled = false, onClick }: StepProps): ComponentChild {
  return (
    <button
      type="button"
      class="button button-icon travel-step"
      aria-label={name}
      title={name}
      disabled={isDisabled}
      onClick={onClick}
    >
      <Icon name={shape} />
    </button>
  );
}
