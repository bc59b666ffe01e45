/** One of a few, side by side. */

import type { ComponentChild } from "preact";
import { useId } from "preact/hooks";

export interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly options: Readonly<Record<Value, string>>;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

export function Choice<Value extends string>(props: ChoiceProps<Value>): ComponentChild {
  const { label, options, value, onChange } = props;
  const name = useId();
  return (
    <fieldset class="settings-group">
      <legend>{label}</legend>
      <div class="choice">
        {Object.entries<string>(options).map(([option, words]) => (
          <label key={option}>
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option as Value)} />
            {words}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
