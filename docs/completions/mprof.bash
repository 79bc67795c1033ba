# Completion of mprof in bash. Commands, options and their values are those of `mprof --help` and
# `mprof COMMAND --help`, so they are always those of the installed program.

_mprof_commands() {
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
    echo help
}

_mprof_options() {
    "$1" "$2" --help 2>/dev/null | sed -n 's/^ \{1,8\}\(-.,\)\{0,1\} *\(--[a-z][a-z-]*\).*/\2/p'
}

# Words of an option that takes one of several: --theme=light|dark|auto.
_mprof_values() {
    "$1" "$2" --help 2>/dev/null | sed -n "s/^ .*$3\[\{0,1\}=\([A-Za-z|-]*|[A-Za-z|-]*\)]\{0,1\}\( .*\)\{0,1\}$/\1/p" | tr '|' '\n' | sed '/^[A-Z]*$/d'
}

_mprof() {
    local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} i
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
        mapfile -t COMPREPLY < <(compgen -W "$(_mprof_commands "$program")" -- "$current")
        return
    fi
    # --theme=li is three words
    if [ "$current" = "=" ]; then
        current="" before="=" i=$((COMP_CWORD - 1))
    else
        i=$((COMP_CWORD - 2))
    fi
    if [ "$before" = "=" ]; then
        before=${COMP_WORDS[i]}
    fi
    case $before in
    --*)
        local values
        values=$(_mprof_values "$program" "$command" "$before")
        if [ -n "$values" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
            return
        fi
        ;;
    esac
    case $current in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$(_mprof_options "$program" "$command")" -- "$current")
        return
        ;;
    esac
    case $command in
    import) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    check | diff | export | functions | merge | peak | plot | report | rm | top)
        mapfile -t COMPREPLY < <(
            compgen -W "$("$program" list 2>/dev/null | cut -d ' ' -f 1)" -- "$current"
            compgen -f -X '!*.dat' -- "$current"
            compgen -f -X '!*.dat.gz' -- "$current"
            compgen -f -X '!*.dat.zst' -- "$current"
            compgen -d -- "$current"
        )
        ;;
    run)
        mapfile -t COMPREPLY < <(compgen -c -- "$current"; compgen -f -- "$current")
        ;;
    attach)
        mapfile -t COMPREPLY < <(compgen -W "$(ps -e -o pid= -o comm= 2>/dev/null)" -- "$current")
        ;;
    esac
}

complete -o filenames -F _mprof mprof
