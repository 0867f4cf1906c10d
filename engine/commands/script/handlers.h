#pragma once
// The handlers of the scripting family, for its table (script_table.cc).

namespace ringwood {

class Call;

namespace script {
void eval(Call& c);
void eval_ro(Call& c);
void evalsha(Call& c);
void evalsha_ro(Call& c);
void fcall(Call& c);
void fcall_ro(Call& c);

void load(Call& c);
void exists(Call& c);
void flush(Call& c);
void kill(Call& c);
void show(Call& c);
void debug(Call& c);
void help(Call& c);

void function_load(Call& c);
void function_delete(Call& c);
void function_list(Call& c);
void function_dump(Call& c);
void function_restore(Call& c);
void function_flush(Call& c);
void function_stats(Call& c);
void function_kill(Call& c);
void function_help(Call& c);
}  // namespace script

}  // namespace ringwood
