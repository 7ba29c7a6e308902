# SPDX-License-Identifier: Apache-2.0
# fish completion for kubelet-sysctl. The program says what fits, from its own tables, the kernel, the
# list in force and the records: a new command or option needs no line here.

function __kubelet_sysctl_offers
    set -l words (commandline -opc)
    # An open quote is part of what was typed.
    set -l current (commandline -ct | string replace -r -- '^[\'"]' '')
    set -l program $words[1]
    set -e words[1]
    for line in ($program __complete $words "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (string replace -r -- '^--[a-z0-9-]+=' '' $current)
            case :directories
                __fish_complete_directories (string replace -r -- '^--[a-z0-9-]+=' '' $current) ''
            case '*'
                echo $line
        end
    end
end

# -k keeps the order: the newest change is first.
complete -c kubelet-sysctl -f -k -a '(__kubelet_sysctl_offers)'
