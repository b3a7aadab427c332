# Asks bash for the completion of a command line, by the function that $1 registers: the words of the line are $2 and
# following, as bash splits them. Prints one candidate a line.
source "$1"
shift
spec=$(complete -p "$1")
function=${spec#*-F }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"${function%% *}"
printf '%s\n' "${COMPREPLY[@]}"
