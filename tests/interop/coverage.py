"""Which commands and options a random run has reached: sent, and answered by something else than an error."""


class Coverage:
    def __init__(self, commands):
        self.commands = {c.name: c for c in commands}
        self.sent = {name: 0 for name in self.commands}
        self.answered = {name: 0 for name in self.commands}
        self.options = {(c.name, t): 0 for c in commands for t in c.tokens}

    def note(self, args, reply):
        """`reply`: as agreement.read answers it. What is queued counts when EXEC answers it."""
        name = args[0].lower().decode("latin-1")
        if name not in self.commands and len(args) > 1:
            name += "|" + args[1].lower().decode("latin-1")
        if name not in self.commands or reply == ("+", b"QUEUED"):
            return
        self.sent[name] += 1
        if reply[0] != "-":
            self.answered[name] += 1
            words = {a.upper() for a in args[1:]}
            for token in self.commands[name].tokens:
                if token.encode() in words:
                    self.options[name, token] += 1

    def lines(self):
        """What was missed, in words, and the sums."""
        unsent = [n for n, count in self.sent.items() if not count]
        refused = [n for n, count in self.answered.items() if not count and self.sent[n]]
        options = [f"{n} {t}" for (n, t), count in self.options.items() if not count and self.answered[n]]
        return [f"{len(self.commands)} kinds of commands with {len(self.options)} options",
                "never sent: " + (", ".join(unsent) or "none"),
                "never answered without an error: " + (", ".join(refused) or "none"),
                "options never answered without an error: " + (", ".join(options) or "none")]
