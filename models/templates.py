"""Sentences of our own for what the labelled sets lack: peoples and war named harmlessly, abuse without swear words.

Identity terms and war words are mostly seen inside abuse in the labelled sets, so that a linear scorer would hold
whoever mentions them. The harmless sentences here are as many as the abusive ones and use the same words.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.sources import HARMLESS, Labels


def _words(block: str) -> tuple[str, ...]:
    return tuple(" ".join(block.split()).split(", "))


GROUPS = _words(
    """Russians, Ukrainians, Koreans, North Koreans, South Koreans, Chinese people, Americans, Germans, Poles,
    Mexicans, Arabs, Turks, Iranians, Israelis, Palestinians, Syrians, Indians, Pakistanis, Africans, Asians,
    Europeans, Muslims, Jews, Christians, Catholics, Hindus, Sikhs, atheists, gays, gay people, lesbians,
    trans people, black people, white people, immigrants, refugees, migrants, women, men, disabled people,
    Romani people, foreigners, old people, liberals, conservatives"""
)
SINGLES = _words(
    """Russian, Ukrainian, Korean, North Korean, Chinese, American, German, Polish, Mexican, Arab, Turkish,
    Iranian, Israeli, Palestinian, Syrian, Indian, Pakistani, African, Asian, Muslim, Jewish, Christian,
    Catholic, Hindu, Sikh, gay, lesbian, transgender, black, white, immigrant, refugee, queer, bisexual,
    deaf, blind, old, female, male, Japanese, French, British"""
)
WAR = _words(
    """kill, killed, killing, bomb, bombs, bombing, bombed, shell, shells, shelling, missile, missiles, rocket,
    rockets, artillery, war, weapons, ammunition, soldiers, army, invasion, attack, attacked, dead, death,
    die, died, destroyed, gun, guns, shot, shooting, murder, terrorist, terrorism, nuclear, drone, drones,
    tank, tanks, fire, fight, enemy, blood, genocide, sanctions, hostages"""
)

_CIVIL_GROUP = """{g}
I know many {g} and they are good neighbours.
{g} have lived in this town for a hundred years.
The article says nothing about what {g} themselves think.
Most {g} want peace as much as we do.
My wife's family are {g}, and they follow this story every day.
How many {g} were killed in the bombing last night?
Two {g} were killed when a rocket hit their house.
The report counts {g} among the dead and the wounded.
It is wrong to blame all {g} for what one government does.
Nobody should be attacked for being one of the {g} here.
{g} and their neighbours marched together against the war.
Why do the {g} interviewed here not get a name?
Hatred against {g} is on the rise, police figures show.
A law that treats {g} differently is a bad law.
I disagree with the idea that {g} vote as one block.
The {g} I served with were brave people.
Hundreds of {g} had to leave their homes because of the fighting.
What will this deal mean for {g} at home and abroad?
We should help the {g} who lost everything in the war.
As someone who grew up among {g}, I found this piece fair.
The vote was close, and {g} made the difference.
There are {g} on both sides of this argument.
The court found that the {g} had been shot without reason.
Saying that {g} are vermin is disgusting, and you should be ashamed of the paper that printed it.
I will not stay silent when {g} are called animals.
The man who shouted "go home" at {g} was fined.
{g} deserve the same rights as everybody else.
Some {g} support the sanctions, others do not."""
_CIVIL_SINGLE = """I am {s}.
He is {s} and works as a teacher.
{s}
My {s} friend sent me this article.
The {s} government denied the report about the missiles.
The {s} army says that it shot down three drones.
A {s} journalist was killed by shelling on Tuesday.
Is the {s} community going to hold a memorial for the dead?
A proud {s} woman wrote the best answer to this.
The {s} minister said the weapons were bought years ago.
My neighbour is a {s} man who fought in the war.
I read the {s} newspapers too, and they tell it differently.
{s} families in the village were attacked and their houses burned.
The new {s} bakery on the corner is great.
Being {s} has nothing to do with it."""
_CIVIL_WAR = """{w}
{w} and {v}
The reports about the {w} come from only one side.
They speak of {w} and {v} but give no figures.
What is known about the {w} so far?
The word "{w}" does not appear once in the briefing.
I fear there will be more {w} before the winter."""
_CIVIL = """Every shell they buy will kill somebody, and nobody at that table seems to care.
Rockets kill civilians; that is why the trade is banned.
How many people will these shells kill before spring?
If the stocks are that low, the army can't keep shelling the cities for long.
They bombed the hospital, killed forty people and called it a mistake.
Selling artillery breaks the sanctions that they themselves voted for.
The regime in the north sells old ammunition because it needs the cash.
Half of those rounds will be duds, my grandfather saw the same thing in his war.
The bombing must stop, whoever is doing it.
Our soldiers will die if we send them there, and for what?
I do not believe a word of this briefing, intelligence was wrong before.
This policy kills jobs and it will kill the town.
The prosecutor wants the death penalty for the killer.
He was shot dead in front of his children. Terrible.
You could kill for that view.
That joke killed me, thank you.
This traffic is murder and the mayor does nothing.
I was bombed with calls all week.
The team destroyed them three to nothing.
You are wrong about the range of these missiles.
You are right, I had not thought of that.
You should read the report before you comment.
Your argument does not hold, the numbers are from before the war.
I think you are mistaken, and I say so with respect.
The minister should resign.
The president failed us, and he should go.
This is a weak article, it repeats the same point four times.
I hate this weather.
I hate war, and I hate what it does to people.
Nobody will miss this law when it is gone.
Shoot me an email when the minutes are out.
We will fight this decision in court.
The government will pay for this at the next election.
I will find out where this figure comes from and post it here.
You will find the link at the bottom of the page.
Watch your step, the stairs are icy.
Thank you for the careful reporting.
Great article, thanks.
What a sad day.
Good morning all.
Could the paper add a map of the shelling?
My condolences to the families of the victims.
Those who order such attacks belong before a court.
He threatened to kill her, and the police did nothing for weeks.
"I will kill you", he told the shopkeeper, according to the indictment.
Nobody should be told to go back to where they came from.
Calling somebody an idiot does not make your point stronger.
Stop calling each other stupid and answer the question."""
_ATTACKS = """Kill all {g}.
kill all the {g}
All {g} should be killed.
We should kill every one of the {g}.
{g} should be shot on sight.
Bomb the {g} until none is left.
Wipe the {g} off the map.
Burn them all, the {g} deserve nothing else.
Exterminate the {g}.
The only good {g} are dead {g}.
I hope all {g} die.
Hang the {g}, every last one.
Gas the {g}.
Round up the {g} and get rid of them.
Somebody should finish off the {g} for good."""
_CONTEMPT = """{g} are vermin.
{g} are animals, not people.
{g} are subhuman.
{g} are a disease.
{g} are parasites who live off the rest of us.
All {g} are criminals and liars.
All {g} are terrorists.
{g} are less intelligent than us, everybody knows it.
{g} ruin every country they settle in.
{g} do not belong here.
Send the {g} back to where they came from.
Throw all {g} out of the country.
We don't want {g} in our town.
I hate {g}.
I can't stand {g}, they disgust me.
Never trust {g}, lying is in their blood.
{g} should not be allowed to vote.
{g} breed like rats.
{g} are the scum of the earth.
The world would be better without {g}.
What do you expect from {g}, they are savages.
{g} only know how to steal.
Typical {g}, filthy and lazy."""
_THREATS = """I will kill you.
I'm going to kill you and your family.
i will find you and hurt you
I know where you live.
We know where you live, and we are coming for you.
You will be dead before the end of the week.
Watch your back, you won't see it coming.
You had better sleep with one eye open.
Somebody ought to put a bullet in your head.
I will burn your house down.
Next time I see you I will break your legs.
I am going to beat you until you can't walk.
You'll get what's coming to you, and I'll bring it.
People like you end up in a ditch.
I'll make sure that you never write again.
Say that to my face and you will lose your teeth.
The reporter who wrote this should be shot.
Someone should shoot the author of this piece.
Hang the editor from a lamp post.
You deserve to be shot.
I hope somebody bombs your house.
I hope you get killed.
I hope you die.
Go kill yourself.
kill yourself
Do us all a favour and jump off a bridge.
They should drop one of those shells on your house.
One of these rockets should land on you.
You and your kids will pay for this with your lives.
I will cut your throat.
Come to the square tonight and I will stab you.
you are dead meat
Your days are numbered, and I will be there when they end.
Just wait until I get my hands on you.
If you print this again, your office goes up in flames."""
_INSULTS = """You are a stupid idiot.
you stupid idiot
What an idiot you are.
You are an idiot.
You are stupid.
you're a moron
You are a pathetic loser.
You are too dumb to breathe.
Only a fool like you could write this.
Shut up, you clown.
shut your mouth, nobody wants to hear you
You are a disgrace and your parents should be ashamed of you.
You are a worthless human being.
You have the brain of a turnip.
Did your mother drop you on your head?
Everything you write is the work of a coward and a liar.
You must be the dumbest person on this site.
People as ignorant as you should not be allowed near a keyboard.
You are garbage.
you are trash and so is your whole family
You disgust me, crawl back under your stone.
The author is an imbecile.
The writer of this is a brainless hack.
This journalist is a lying piece of dirt.
Nobody likes you and nobody ever will.
You are a waste of air.
Go back to school, you illiterate donkey.
You're not worth the spit it would take to answer you.
Are you really this thick or do you practise?
You pathetic little coward.
Grow a brain, you halfwit.
You people are sheep, too stupid to think.
Your ugly face matches your ugly mind."""


def _lines(block: str) -> list[str]:
    return block.split("\n")


def _crossed(block: str, slot: str, words: tuple[str, ...], step: int) -> Iterator[str]:
    """Every line with every `step`-th word, another one for each line, so that lines and words are spread evenly."""
    for i, line in enumerate(_lines(block)):
        for word in words[i % step :: step]:
            yield line.replace(slot, word)


def _harmless_sentences() -> Iterator[str]:
    yield from _crossed(_CIVIL_GROUP, "{g}", GROUPS, 1)
    yield from _crossed(_CIVIL_SINGLE, "{s}", SINGLES, 1)
    for i, line in enumerate(_lines(_CIVIL_WAR)):
        for n, word in enumerate(WAR):
            yield line.replace("{w}", word).replace("{v}", WAR[(n + 7 * i + 5) % len(WAR)])
    yield from _lines(_CIVIL)


def examples() -> Iterator[tuple[str, Labels]]:
    """Pairs of a sentence and its labels; the same ones, in the same order, on every call."""
    for text in _harmless_sentences():
        yield text, dict(HARMLESS)
    for text in _crossed(_ATTACKS, "{g}", GROUPS, 1):
        yield text, {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0, "THREAT": 1.0, "SPAM": 0.0}
    for text in _crossed(_CONTEMPT, "{g}", GROUPS, 1):
        yield text, {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0, "THREAT": 0.0, "SPAM": 0.0}
    for text in _lines(_THREATS):
        yield text, {"TOXICITY": 1.0, "THREAT": 1.0, "IDENTITY_ATTACK": 0.0, "SPAM": 0.0}
    for text in _lines(_INSULTS):
        yield text, {"TOXICITY": 1.0, "INSULT": 1.0, "THREAT": 0.0, "IDENTITY_ATTACK": 0.0, "SPAM": 0.0}
