/**
 * The button that sends old comments: one hundred after another until none is left. It may be pressed again at any
 * time, for what was sent is noted on the server.
 */
( function () {
	const button = document.getElementById( 'comment-moderation-import' );
	const progress = document.getElementById( 'comment-moderation-progress' );
	const said = document.getElementById( 'comment-moderation-said' );
	if ( ! button ) {
		return;
	}

	function say( sent, refused, remaining ) {
		said.textContent = said.dataset.words
			.replace( '%1$d', sent )
			.replace( '%2$d', refused )
			.replace( '%3$d', remaining );
	}

	async function send() {
		let sent = 0;
		let refused = 0;
		let remaining = Number( button.dataset.total );
		progress.max = remaining;
		progress.hidden = false;
		while ( remaining > 0 ) {
			const answer = await wp.apiFetch( {
				path: '/comment-moderation/v1/import',
				method: 'POST',
			} );
			sent += answer.sent;
			refused += answer.refused;
			remaining = answer.remaining;
			button.dataset.total = remaining;
			progress.value = sent + refused;
			say( sent, refused, remaining );
			if ( 0 === answer.sent + answer.refused ) {
				break;
			}
		}
	}

	button.addEventListener( 'click', async function () {
		button.disabled = true;
		try {
			await send();
		} catch ( error ) {
			said.textContent = error.message;
		}
		button.disabled = 0 === Number( button.dataset.total );
	} );
} )();
