"""What fills the slots of the sentences: groups, and abuse that somebody said.

{g} is a group in the plural, {s} one of its members, {c} goes with what a state has; {q} is hatred, {n} an insult and
{t} a threat as one may quote it.
"""

from __future__ import annotations

from models.phrases import GROUPS, SINGLES


def _lines(block: str) -> tuple[str, ...]:
    return tuple(block.split("\n"))


_MORE_GROUPS = """Chinese tourists
Japanese people
Vietnamese people
Filipinos
Afghans
Iraqis
Kurds
Egyptians
Moroccans
Algerians
Tunisians
Nigerians
Ghanaians
Somalis
Eritreans
Ethiopians
Brazilians
Colombians
Cubans
Haitians
Canadians
Australians
French people
Italians
Spaniards
Greeks
Hungarians
Romanians
Bulgarians
Serbs
Albanians
Bosnians
Georgians
Armenians
Dutch people
Swedes
Irish people
Scots
Mormons
Protestants
Buddhists
Jehovah's Witnesses
bisexual people
transgender women
nonbinary people
deaf people
blind people
autistic people
wheelchair users
people with Down syndrome
single mothers
pensioners
Travellers
Native Americans
Aboriginal people
Latinos
asylum seekers
Dominicans
teenagers"""
_MORE_SINGLES = """Afghan
Kurdish
Egyptian
Moroccan
Nigerian
Somali
Eritrean
Ethiopian
Brazilian
Colombian
Cuban
Haitian
Canadian
Italian
Spanish
Greek
Romanian
Bulgarian
Serbian
Albanian
Irish
Mormon
Buddhist
autistic
disabled
Roma
Native American
Latino
Vietnamese
Filipino
South Korean"""
_COUNTRIES = """Russian
Ukrainian
Chinese
North Korean
South Korean
Japanese
American
German
Polish
Mexican
Turkish
Iranian
Israeli
Palestinian
Syrian
Indian
Pakistani
French
British
Iraqi
Afghan
Egyptian
Nigerian
Ethiopian
Brazilian
Cuban
Serbian
Hungarian
Georgian"""
_HATE = """go back to where you came from
you people are vermin
you don't belong in this country
speak English or get out
dirty Jew
filthy faggot
stupid nigger
Paki scum
the only good Muslim is a dead one
women like you belong in the kitchen
all immigrants are criminals
refugees are parasites
gays are sick
trannies are freaks
Roma steal everything
Poles are thieves
Russians are subhuman
Ukrainians are pigs
Arabs are animals
Chinese people spread disease
Mexicans are rapists
blacks are lazy
white people are devils
Jews control the media
Muslims are all terrorists
cripples are a burden
retards should be locked away
send them all back
we don't want your kind here
your people breed like rats
Indians are filthy
Palestinians are savages
Israelis are monsters
Koreans are dogs
Africans are monkeys
you dirty gypsy
fucking dyke
take your headscarf off, terrorist
old people are useless
this country is for whites only
get out of our town, you foreign rats"""
_INSULTS = """you stupid cow
you worthless idiot
you are a lying piece of shit
fat ugly pig
you brainless moron
shut up, bitch
you pathetic loser
what a retard
you are an embarrassment to your family
old hag
you disgusting creep
fucking idiot
you are too stupid to live
dirty whore
you spineless coward
go to hell, you clown
you are a complete waste of space
asshole
you senile old fool
nobody would ever love you
son of a bitch
you talentless hack
scumbag
you filthy liar
dumb bitch
you are trash
arrogant prick
you are as thick as a brick
you make me sick, you worm"""
_THREATS = """I will kill you
we know where you live
you will not see Christmas
I'm going to break your legs
your house will burn
you should be hanged
we will find your children
I'll cut your throat
one day somebody will shoot you
watch your back
I will rape you
your days are numbered
we are coming for you
you'll end up in a ditch
next time you bleed
I hope you get cancer and die
a bullet is waiting for you
say it again and I'll knock your teeth out
we will bomb your office"""

SLOTS = {
    "{g}": (*GROUPS, *_lines(_MORE_GROUPS)),
    "{s}": (*SINGLES, *_lines(_MORE_SINGLES)),
    "{c}": _lines(_COUNTRIES),
    "{q}": _lines(_HATE),
    "{n}": _lines(_INSULTS),
    "{t}": _lines(_THREATS),
}
