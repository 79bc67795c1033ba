# Completion of mprof in fish. Commands, options and their values are those of `mprof --help` and
# `mprof COMMAND --help`, so they are always those of the installed program.

function __mprof_commands
    mprof --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *\(.*\)/\1\t\2/p'
    printf 'help\tdescribe a command\n'
end

function __mprof_command
    set -l words (commandline -opc)
    test (count $words) -gt 1; and echo $words[2]
end

function __mprof_options
    mprof (__mprof_command) --help 2>/dev/null |
        sed -n 's/^ \{1,8\}\(-.,\)\{0,1\} *\(--[a-z][a-z-]*\)[^ ]* *\(.*\)/\2\t\3/p'
    # --theme=light|dark|auto
    mprof (__mprof_command) --help 2>/dev/null |
        sed -n 's/^ .*\(--[a-z-]*\)\[\{0,1\}=\([A-Za-z|-]*|[A-Za-z|-]*\)]\{0,1\}\( .*\)\{0,1\}$/\1 \2/p' | sed 's/|[A-Z]*$//' | while read -l option values
            for value in (string split '|' $values)
                echo $option=$value
            end
        end
end

function __mprof_takes_recordings
    contains -- "$(__mprof_command)" check diff export functions merge peak plot report rm top
end

complete -c mprof -f
complete -c mprof -n 'test (count (commandline -opc)) -eq 1' -a '(__mprof_commands)'
complete -c mprof -n 'test "$(__mprof_command)" = help' -a '(__mprof_commands)'
complete -c mprof -n 'string match -q -- "-*" (commandline -ct)' -a '(__mprof_options)'
complete -c mprof -n __mprof_takes_recordings -a '(mprof list 2>/dev/null | sed "s/ /\t/")'
complete -c mprof -n __mprof_takes_recordings -a '(for end in .dat .dat.gz .dat.zst; __fish_complete_suffix $end; end)'
complete -c mprof -n 'test "$(__mprof_command)" = import' -F
complete -c mprof -n 'test "$(__mprof_command)" = run' -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c mprof -n 'test "$(__mprof_command)" = attach' -a '(__fish_complete_pids)'
