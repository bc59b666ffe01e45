/** The buttons of time travel: play, how fast, and step by step. */

import type { ComponentChild } from "preact";

import { PLAY_SPEEDS, type PlaySpeed } from "../../../../src/view/log/playing.ts";
import type { UpgradeStore } from "../../upgrade-store.ts";
import type { TravelModel } from "./travel-model.ts";

export interface TravelControlsProps {
  readonly model: TravelModel;
  readonly store: UpgradeStore;
}

const SHAPES = {
  mark_back: "M3 3v10M13 3 6 8l7 5z",
  back: "M11 3 4 8l7 5z",
  play: "M4 2.5 13 8l-9 5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  on: "M5 3l7 5-7 5z",
  mark_on: "M13 3v10M3 3l7 5-7 5z",
} as const;

export function TravelControls({ model, store }: TravelControlsProps): ComponentChild {
  const isPlaying = model.isPlaying.value;
  const isLive = store.place.value === undefined;
  return (
    <div class="travel-controls" role="group" aria-label="Play">
      <Step name="Previous mark: failure, phase or finding" shape="mark_back" onClick={() => model.toMark(true)} />
      <Step name="One event back" shape="back" onClick={() => model.step(-1)} />
      <Step name={isPlaying ? "Pause" : "Play"} shape={isPlaying ? "pause" : "play"} onClick={() => model.toggle()} />
      <Step name="One event on" shape="on" isDisabled={isLive} onClick={() => model.step(1)} />
      <Step
        name="Next mark: failure, phase or finding"
        shape="mark_on"
        isDisabled={isLive}
        onClick={() => model.toMark(false)}
      />
      <select
        class="field"
        aria-label="Speed"
        value={String(model.speed.value)}
        onChange={({ currentTarget }) => (model.speed.value = Number(currentTarget.value) as PlaySpeed)}
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
  readonly shape: keyof typeof SHAPES;
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
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[shape]} fill="currentColor" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" />
      </svg>
    </button>
  );
}
