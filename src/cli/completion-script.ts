/** Completion scripts, made from the program itself, so that they know every verb and option. */

import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A verb, as "task start", with the words that may follow it. */
interface Entry {
  readonly path: string;
  readonly words: readonly string[];
  /** True if an upgrade's id may follow. */
  readonly takesUpgrade: boolean;
}

export function completionScript(program: Command, shell: Shell): string {
  const entries = [...entriesOf(program, "", globalWords(program))];
  return { bash, zsh, fish }[shell](entries);
}

function globalWords(program: Command): readonly string[] {
  return program.options.flatMap(({ long }) => (long == null ? [] : [long]));
}

function* entriesOf(command: Command, path: string, global: readonly string[]): Generator<Entry, undefined> {
  const own = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
  const words = [
    ...command.commands.map((child) => child.name()),
    ...new Set([...own, ...global, "--help"]),
    ...choices(command),
  ];
  const takesUpgrade = command.registeredArguments.some((argument) => argument.name() === "id");
  yield { path, words, takesUpgrade };
  for (const child of command.commands) yield* entriesOf(child, `${path} ${child.name()}`.trim(), global);
  return undefined;
}

const choices = (command: Command): readonly string[] =>
  command.name() === "completion" ? SHELLS : command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);

/** The verbs that have verbs below them: after one of these the next word counts too. */
const nested = (entries: readonly Entry[]): readonly string[] => [
  ...new Set(entries.flatMap(({ path }) => (path.includes(" ") ? [path.split(" ")[0] as string] : []))),
];

/**
 * How bash gets its candidates. Ids and file names are anybody's text: nothing here may expand them, and what is offered is
 * quoted, so that Enter does not run it either. `compgen -W` would expand them. Bash 3.2, as macOS has it, knows no `mapfile`.
 */
const BASH_OFFERS =
  String.raw`# Offers a candidate that begins with what was typed, quoted as the word that is being typed needs it.
_milepost_offer() {
  local typed="$current" quoted="$1"
  case "$current" in
    \'*) [[ "$1" == *\'* ]] && return; typed="@{current:1}" ;;
    \"*) [[ "$1" == *[\"\\\$\!\@BACK]* ]] && return; typed="@{current:1}" ;;
    *) printf -v quoted '%q' "$1" ;;
  esac
  if [[ -n "$1" && ( "$quoted" == "$typed"* || "$1" == "$typed"* ) ]]; then COMPREPLY+=("$quoted"); fi
}
_milepost_files() {
  local word
  if compopt -o filenames 2>/dev/null; then
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  else
    while IFS= read -r word; do _milepost_offer "$word"; done < <(compgen -f -- "$current")
  fi
}
`
    .replaceAll("@{", "$" + "{")
    .replaceAll("@BACK", "`");

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(
    ({ path, words, takesUpgrade }) =>
      `    "${path}") words=$'${words.join("\\n")}'; upgrades=${takesUpgrade ? "yes" : "no"} ;;`,
  );
  return `# Completion of milepost for bash: eval "$(milepost completion bash)"
_milepost() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb="" words="" upgrades=no word index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      --storage|--storage-path) ((index++)) ;;
      --) return ;;
      -*) ;;
      *)
        if [[ -z "$verb" ]]; then verb="$word"
        else case "$verb" in ${nested(entries).join("|")}) verb="$verb $word" ;; esac; break
        fi ;;
    esac
  done
  case "$previous" in
    --storage-path|--output|-o) _milepost_files; return ;;
    --upgrade|--id) words="$(milepost completion upgrades 2>/dev/null)" ;;
    *)
      case "$verb" in
${cases.map((line) => `    ${line}`).join("\n")}
      esac
      if [[ $upgrades == yes && $current != -* ]]; then words="$words"$'\\n'"$(milepost completion upgrades 2>/dev/null)"; fi ;;
  esac
  while IFS= read -r word; do
    _milepost_offer "$word"
  done <<< "$words"
}
${BASH_OFFERS}complete -F _milepost milepost
`;
}

function zsh(entries: readonly Entry[]): string {
  const cases = entries.map(
    ({ path, words, takesUpgrade }) =>
      `    "${path}") candidates=(${words.join(" ")}); upgrades=${takesUpgrade ? "yes" : "no"} ;;`,
  );
  return `#compdef milepost
# Completion of milepost for zsh: eval "$(milepost completion zsh)", after compinit
_milepost() {
  local verb="" upgrades=no word
  local -a candidates
  integer index
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    case "$word" in
      --storage|--storage-path) ((index++)) ;;
      --) return ;;
      -*) ;;
      *)
        if [[ -z "$verb" ]]; then verb="$word"
        else case "$verb" in ${nested(entries).join("|")}) verb="$verb $word" ;; esac; break
        fi ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
    --storage-path|--output|-o) _files; return ;;
    --upgrade|--id) candidates=(\${(f)"$(milepost completion upgrades 2>/dev/null)"}); compadd -a candidates; return ;;
  esac
  case "$verb" in
${cases.join("\n")}
  esac
  if [[ $upgrades == yes && "\${words[CURRENT]}" != -* ]]; then candidates+=(\${(f)"$(milepost completion upgrades 2>/dev/null)"}); fi
  compadd -a candidates
}
compdef _milepost milepost
`;
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, words, takesUpgrade }) => {
    const condition = `__milepost_verb_is '${path}'`;
    const plain = words.filter((word) => !word.startsWith("-"));
    return [
      ...(plain.length > 0 ? [`complete -c milepost -f -n "${condition}" -a "${plain.join(" ")}"`] : []),
      ...words
        .filter((word) => word.startsWith("--"))
        .map((word) => `complete -c milepost -n "${condition}" -l ${word.slice(2)}`),
      ...(takesUpgrade
        ? [`complete -c milepost -f -n "${condition}" -a "(milepost completion upgrades 2>/dev/null)"`]
        : []),
    ];
  });
  return `# Completion of milepost for fish: milepost completion fish | source
function __milepost_verb_is
  set -l verb
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    if test (count $verb) -eq 0
      set verb $word
    else if contains -- $verb[1] ${nested(entries).join(" ")}; and test (count $verb) -eq 1
      set -a verb $word
    end
  end
  test "$verb" = "$argv[1]"
end
complete -c milepost -f
${lines.join("\n")}
`;
}
