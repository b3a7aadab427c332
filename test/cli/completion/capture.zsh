# Types $2 and a tab into an interactive zsh that has read the completion $1, and prints what zsh offers: one word a
# line after "HIT:". The completion system is the real one; only what it does at its very end is listened to. What it knows of
# other commands it reads once, and keeps beside $1 for the next line.
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT=; autoload -U compinit; compinit -C -d ${1:h}/zcompdump; source $1
compadd () {
  [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd \"\$@\"; return \$?; }
  typeset -a hits; builtin compadd -A hits \"\$@\"; builtin compadd \"\$@\"
  print -rl -- \"HIT:\"\$^hits
}
_files() { print -r -- HIT:@files }
_message() { print -r -- HIT:@anything }
zle -C offer complete-word offer-all
offer-all() { _main_complete; print -r -- DONE; exit }
bindkey '^I' offer
print READ\"\"Y"
zpty -r -m z out '*READY*'
zpty -w -n z "$2"$'\t'
zpty -r -m z out '*DONE*'
print -r -- "$out" | grep -a -o 'HIT:[^[:cntrl:]]*' | sort -u
zpty -d z
