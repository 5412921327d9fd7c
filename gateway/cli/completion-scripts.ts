// The scripts by which shells complete: one function each, which finds how far the commands go and offers what may follow.

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** What may follow at one place of a command line, the special before the general. None of our words needs quoting. */
export interface Branch {
  /** Commands that were named, such as `hold put`; empty for none. */
  readonly place: string
  /** The option just before, whose value is one of these words, or a file where there are none; `null` for all else. */
  readonly after: string | null
  readonly words: readonly string[]
}

const placesOf = (branches: readonly Branch[]): string[] =>
  [...new Set(branches.map(({ place }) => place))]
    .filter((place) => place !== '')
    .map((place) => `'${place}'`)

/** Patterns of `PLACE|WORD BEFORE` and what they offer, as a `case` of POSIX shells. */
const casesIn = (branches: readonly Branch[], variable: string): string =>
  branches
    .map(({ place, after, words }) => `    '${place}|'${after ?? '*'}) ${variable}='${words.join(' ')}' ;;`)
    .join('\n')

const bash = (branches: readonly Branch[]): string => `# bash completion of chiyuan
_chiyuan() {
  local place='' offered='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${place:+$place }$word" in
    ${placesOf(branches).join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place|\${COMP_WORDS[COMP_CWORD-1]}" in
${casesIn(branches, 'offered')}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _chiyuan chiyuan
`

const zsh = (branches: readonly Branch[]): string => `#compdef chiyuan
_chiyuan() {
  local place='' offered='' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
    ${placesOf(branches).join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place|\${words[CURRENT-1]}" in
${casesIn(branches, 'offered')}
  esac
  compadd -- \${=offered} || _files
}
if [[ "\${funcstack[1]}" == _chiyuan ]]; then _chiyuan "$@"; else compdef _chiyuan chiyuan; fi
`

const fish = (branches: readonly Branch[]): string => `# fish completion of chiyuan
function __chiyuan_offered
  set -l before (commandline -opc)
  set -l place ''
  for word in $before[2..-1]
    switch (string trim -- "$place $word")
      case ${placesOf(branches).join(' ')}
        set place (string trim -- "$place $word")
    end
  end
  switch "$place|$before[-1]"
${branches
  .map(
    ({ place, after, words }) =>
      `    case '${place}|${after ?? '*'}'\n${words.length === 0 ? '' : `      string split ' ' -- '${words.join(' ')}'`}`,
  )
  .join('\n')}
  end
end
complete -c chiyuan -n '__chiyuan_offered | string match -qv -- "-*"' -f
complete -c chiyuan -a '(__chiyuan_offered)'
`

export const completionScripts: Readonly<Record<Shell, (branches: readonly Branch[]) => string>> = {
  bash,
  zsh,
  fish,
}
