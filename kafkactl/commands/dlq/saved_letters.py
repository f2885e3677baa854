"""One run of dlq export."""

from pathlib import Path

from kafkactl.cluster.client import connect
from kafkactl.commands.dlq.selection import Selection, conditions
from kafkactl.deadletters.letters import find_dead_letter_topic, read_letters
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.records.record_file import RecordFile
from kafkactl.settings import Target
from kafkactl.text.words import many
from kafkactl.view import output, screen


def export_to(target: Target, name: str, path: Path, chosen: Selection) -> None:
    """Write the letters that meet the conditions to a new file."""
    with conditions(chosen) as wanted:
        kafka = connect(target.connection)
        topic = find_dead_letter_topic(kafka, name)
        reading = HeaderReading.of(target.catalog)
        file = RecordFile(path)
        read = 0
        try:
            with screen.progress(name, topic.span) as show:
                for letters in read_letters(kafka, topic, reading, lambda text: output.note(f"{text}.")):
                    for letter in letters:
                        if wanted(letter):
                            file.add(letter.record)
                    read += len(letters)
                    show(read, f"{read:,} of {topic.span:,}")
            file.close()
        except BaseException:
            file.discard()
            raise
    of = f" of {read:,}" if file.count != read else ""
    output.note(f"{file.count:,}{of} {'dead letter' if file.count == read == 1 else 'dead letters'} in {path}.")
    output.note("Nothing in it is masked; only you can read it.")
    if not file.count:
        output.note(
            f"{many(read, 'dead letter')} looked at; none matches." if read else f"{name} holds no dead letters."
        )
