"""The words and sentences that templates.py crosses: {g} is a group, {s} one of its members, {w} and {v} are of war."""

from __future__ import annotations


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

CIVIL_GROUP = """{g}
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
Some {g} support the sanctions, others do not.
{g} live next door to me.
{g} deserve better doctors.
{g} marched through the centre yesterday.
I wish {g} a happy holiday.
Many {g} read this paper."""
CIVIL_SINGLE = """I am {s}.
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
CIVIL_WAR = """{w}
{w} and {v}
The reports about the {w} come from only one side.
They speak of {w} and {v} but give no figures.
What is known about the {w} so far?
The word "{w}" does not appear once in the briefing.
I fear there will be more {w} before the winter."""
CIVIL = """Every shell they buy will kill somebody, and nobody at that table seems to care.
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
Kill the bill.
They should stop the killing and talk.
Kill two birds with one stone, as they say.
The mosquitoes will kill us before the budget does.
The treatment can kill the tumour and spare the patient.
Who killed the reporter, and why is nobody asking?
The soldiers were ordered to kill, and some refused.
Rockets landed on a school and on two houses.
A missile hit the house next to my sister's.
They will pay a high price for this purchase.
Your kids will thank you for it.
The kids will pay for this debt with their taxes.
He should be in prison for what he did.
I would love to see you both at the meeting.
They were hanged for it in 1946, after a trial.
I broke my jaw as a child.
The plant should not have been shut.
Go back to the beginning and read it again.
You can go home now, the game is over.
Stop calling each other stupid and answer the question."""
ATTACKS = """Kill all {g} you can find.
kill all the {g}
All {g} should be killed.
We should kill every one of the {g}.
{g} should be shot on sight.
Bomb the {g} until none is left.
Wipe the {g} off the map.
Burn them all, the {g} deserve nothing else.
Exterminate the {g}.
The only good {g} are dead {g}.
I hope all {g} die out, and soon.
Hang the {g}, every last one.
Gas the {g}.
Round up the {g} and get rid of them.
Somebody should finish off the {g} for good."""
CONTEMPT = """{g} are vermin.
{g} are animals, not people.
{g} are subhuman.
{g} are a disease that this country has caught.
{g} are parasites who live off the rest of us.
All {g} are criminals and liars.
All {g} are terrorists.
{g} are less intelligent than us, everybody knows it.
{g} ruin every country they settle in.
{g} do not belong here.
Send the {g} back to where they came from.
Throw all {g} out of the country.
We don't want {g} in our town.
Lord, how I hate {g}, more every day.
One look at {g} and I want to wash my hands.
Never trust {g}, lying is in their blood.
{g} should not be allowed to vote.
{g} breed like rats.
{g} are scum, here as everywhere else.
The world would be better without {g}.
What do you expect from {g}, they are savages.
{g} only know how to steal.
Typical {g}, filthy and lazy.
{g} are rats.
{g} are pigs.
{g} are a plague on this country.
Go back to your own country, we have enough {g}.
{g} are rapists and thieves.
{g} should be locked up."""
THREATS = """I will kill you.
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
drop dead
I would love to see you hang.
You should be hanged for this.
Whoever wrote this should be hanged.
You should be shot for what you wrote.
Someone should break your neck.
Somebody should knock your teeth out.
I hope a rocket lands on your house.
Hope a bomb falls on your home tonight.
May a shell hit you and everyone you love.
Your children will pay for what you said.
Your family will regret that you wrote this.
Better look behind you when you leave the office.
We have your address, see you soon.
nuke them all and everyone in it
Flatten the whole city and everybody in it.
Bomb the whole country to dust, women and children too.
Let them all burn.
Shoot them all.
I am coming for you.
You won't live to see the morning.
If you print this again, your office goes up in flames."""
INSULTS = """You are a stupid idiot.
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
The reporter is a whore.
The journalist who wrote this is a paid liar and a pig.
What a dumb old hag.
You are a dirty pig.
you're a clown, nobody asked you
You are a fascist pig.
You sad little man, get a life.
You people are sheep, too stupid to think.
Your ugly face matches your ugly mind."""
