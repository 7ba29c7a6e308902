# SPDX-License-Identifier: Apache-2.0
# bash completion for kubelet-sysctl. The program says what fits, from its own tables, the kernel, the
# list in force and the records: a new command or option needs no line here.

_kubelet_sysctl() {
  local current=${COMP_WORDS[COMP_CWORD]} word text quote='' index program=${COMP_WORDS[0]}
  local words=() answers=()
  COMPREPLY=()
  # bash takes '--output=json' apart at '='.
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [ "$word" = = ] && [[ ${COMP_WORDS[index - 1]} == --* ]]; then
      [ "$index" != "$COMP_CWORD" ] || words+=('')
      continue
    fi
    # Words stand here as they were typed.
    case $word in [\"\']*) word=${word#?} word=${word%[\"\']} ;; esac
    words+=("${word//\\/}")
  done
  case $current in
    = | '') current='' ;;
    [\"\']*) quote=${current:0:1} ;;
  esac

  program=${program/#\~/$HOME}
  mapfile -t answers < <("$program" __complete "${words[@]}" 2>/dev/null)
  compopt -o nosort 2>/dev/null
  for text in "${answers[@]}"; do
    text=${text%%$'\t'*}
    case $text in
      :files | :directories)
        compopt -o filenames 2>/dev/null
        if [ "$text" = :files ]; then word=-f; else word=-d; fi
        mapfile -t COMPREPLY < <(compgen "$word" -- "${current#["'\""]}")
        return
        ;;
    esac
    # Quoted: a shell expands it.
    [ -n "$quote" ] || text=${text//\*/\\*}
    COMPREPLY+=("$text")
  done
  # The beginning of other names.
  case ${COMPREPLY[*]} in
    *' '*) ;;
    *.) compopt -o nospace 2>/dev/null ;;
  esac
}

complete -F _kubelet_sysctl kubelet-sysctl
